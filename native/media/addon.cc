// What the media process can call. Loads GStreamer: the process that keeps the state must never load this.
#include <gst/gst.h>
#include <malloc.h>
#include <napi.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "alignment.h"
#include "channel.h"
#include "events.h"
#include "gst_log.h"
#include "h264packets.h"
#include "hubsink.h"
#include "hubsrc.h"
#include "pipelines.h"
#include "rtpreceiver.h"
#include "rtptimes.h"
#include "rtsp_access.h"
#include "rtsp_server.h"
#include "tap.h"
#include "timestamp.h"
#include "turn.h"
#include "v4l2.h"
#include "webrtc.h"
#include "zoom.h"

namespace obscura {
namespace {

std::string text(const Napi::CallbackInfo& info, std::size_t index, const char* what) {
  if (info.Length() <= index || !info[index].IsString())
    throw Napi::TypeError::New(info.Env(), std::string(what) + " must be a text");
  return info[index].As<Napi::String>().Utf8Value();
}

Napi::Value Listen(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsFunction())
    throw Napi::TypeError::New(info.Env(), "listen needs a function");
  listen(info[0].As<Napi::Function>());
  tellGstWarnings();
  return info.Env().Undefined();
}

Napi::Value Channels(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Channel::statistics());
}

Napi::Value ForgetChannel(const Napi::CallbackInfo& info) {
  Channel::forget(text(info, 0, "channel"));
  return info.Env().Undefined();
}

/** Microseconds on the clock of the pictures; nothing while a card stands in, or before there was a picture. */
Napi::Value LiveSince(const Napi::CallbackInfo& info) {
  const GstClockTime since = Channel::named(text(info, 0, "channel"))->liveSince();
  if (!GST_CLOCK_TIME_IS_VALID(since)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(since / GST_USECOND));
}

Napi::Value OpenTap(const Napi::CallbackInfo& info) {
  openTap(text(info, 0, "channel"));
  return info.Env().Undefined();
}

Napi::Value CloseTap(const Napi::CallbackInfo& info) {
  closeTap(text(info, 0, "channel"));
  return info.Env().Undefined();
}

/** {bytes, width, height, sequence, capturedAt, capturedTicks}, or nothing. */
Napi::Value TakeFromTap(const Napi::CallbackInfo& info) {
  const auto taken = takeFromTap(text(info, 0, "channel"));
  if (!taken) return info.Env().Undefined();
  const auto bytes = Napi::Buffer<std::uint8_t>::New(info.Env(), taken->size());
  taken->copyTo(bytes.Data());
  auto result = Napi::Object::New(info.Env());
  result.Set("bytes", bytes);
  result.Set("width", taken->width());
  result.Set("height", taken->height());
  result.Set("sequence", static_cast<double>(taken->sequence()));
  result.Set("capturedAt", static_cast<double>(taken->capturedAt()));
  result.Set("capturedTicks", static_cast<double>(taken->capturedTicks()));
  return result;
}

Napi::Value SetProperty(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), setPipelineProperty(text(info, 0, "pipeline"), text(info, 1, "element"),
                                                            text(info, 2, "property"), text(info, 3, "value")));
}

Napi::Value Alignment(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), alignmentReport(text(info, 0, "pipeline")));
}

Napi::Value Graph(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), pipelineGraph(text(info, 0, "pipeline")));
}

Napi::Value Release(const Napi::CallbackInfo& info) {
  const bool released = releasePipeline(text(info, 0, "pipeline"));
  // What an encoder used for its frames goes back to the machine, not to a heap that keeps it.
  malloc_trim(0);
  return Napi::Boolean::New(info.Env(), released);
}

/** Whether an element of this name can be made here. */
Napi::Value HasElement(const Napi::CallbackInfo& info) {
  GstElementFactory* factory = gst_element_factory_find(text(info, 0, "element").c_str());
  if (factory != nullptr) gst_object_unref(factory);
  return Napi::Boolean::New(info.Env(), factory != nullptr);
}

/** Nothing where the text makes a pipeline, otherwise GStreamer's own words. */
Napi::Value Parse(const Napi::CallbackInfo& info) {
  GError* error = nullptr;
  GstElement* made =
      gst_parse_launch_full(text(info, 0, "launch text").c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (made != nullptr) gst_object_unref(gst_object_ref_sink(made));
  if (error == nullptr) return info.Env().Undefined();
  const std::string message = error->message;
  g_error_free(error);
  return Napi::String::New(info.Env(), message);
}

int number(const Napi::CallbackInfo& info, std::size_t index) {
  if (info.Length() <= index || !info[index].IsNumber())
    throw Napi::TypeError::New(info.Env(), "A number is missing");
  return info[index].As<Napi::Number>().Int32Value();
}

Napi::Value RtspListen(const Napi::CallbackInfo& info) {
  try {
    listenForRtsp(text(info, 0, "address"), number(info, 1));
    return info.Env().Undefined();
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Value RtspsListen(const Napi::CallbackInfo& info) {
  try {
    listenForRtsps(text(info, 0, "address"), number(info, 1), text(info, 2, "certificate"), text(info, 3, "key"));
    return info.Env().Undefined();
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Value RtspLimit(const Napi::CallbackInfo& info) {
  limitRtspSessions(static_cast<unsigned>(number(info, 0)));
  return info.Env().Undefined();
}

/** {address, port, ttl, interface}, or nothing. */
Napi::Value RtspMulticastOffer(const Napi::CallbackInfo& info) {
  std::optional<RtspMulticast> wish;
  if (info.Length() > 0 && info[0].IsObject()) {
    const auto given = info[0].As<Napi::Object>();
    wish = RtspMulticast{given.Get("address").ToString(), given.Get("port").ToNumber().Int32Value(),
                         given.Get("ttl").ToNumber().Int32Value(), given.Get("interface").ToString()};
  }
  try {
    setRtspMulticast(wish);
    return info.Env().Undefined();
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

/** A list of {path, launch}. */
Napi::Value RtspMounts(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "The mounts must be a list");
  const auto list = info[0].As<Napi::Array>();
  std::vector<RtspMount> mounts;
  for (std::uint32_t index = 0; index < list.Length(); index += 1) {
    const auto mount = list.Get(index).As<Napi::Object>();
    mounts.push_back({mount.Get("path").ToString(), mount.Get("launch").ToString()});
  }
  setRtspMounts(mounts);
  return info.Env().Undefined();
}

template <typename Take>
void eachMember(const Napi::Object& object, const char* member, Take take) {
  const auto map = object.Get(member).As<Napi::Object>();
  const auto names = map.GetPropertyNames();
  for (std::uint32_t index = 0; index < names.Length(); index += 1) {
    const std::string name = names.Get(index).ToString();
    take(name, map.Get(name));
  }
}

/** {realm, anonymous, accounts: {name: ha1}, tokens: {id: {user, hash, expires}}, sessions: {hash: user}}. */
Napi::Value RtspAccessTable(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "The access must be an object");
  const auto given = info[0].As<Napi::Object>();
  RtspAccess access;
  access.realm = given.Get("realm").ToString();
  access.anonymous = given.Get("anonymous").ToBoolean();
  eachMember(given, "accounts", [&access](const std::string& name, const Napi::Value& secret) {
    access.accounts[name] = secret.ToString();
  });
  eachMember(given, "sessions", [&access](const std::string& hash, const Napi::Value& user) {
    access.sessions[hash] = user.ToString();
  });
  eachMember(given, "tokens", [&access](const std::string& id, const Napi::Value& value) {
    const auto token = value.As<Napi::Object>();
    access.tokens[id] = {token.Get("user").ToString(), token.Get("hash").ToString(),
                         token.Get("expires").ToNumber().Int64Value()};
  });
  setRtspAccess(std::move(access));
  enforceRtspAccess();
  return info.Env().Undefined();
}

Napi::Value RtspClients(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), rtspClients()); }

Napi::Value RtspLoopLag(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), rtspLoopLag()); }
Napi::Value RtspSamples(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), rtspSamples()); }

/** A client and bit/s, or null for no limit. */
Napi::Value RtspLimitClient(const Napi::CallbackInfo& info) {
  if (info.Length() < 2 || !info[0].IsNumber())
    throw Napi::TypeError::New(info.Env(), "rtspLimitClient needs a client and a bit rate");
  std::optional<std::uint64_t> bps;
  if (info[1].IsNumber()) bps = static_cast<std::uint64_t>(info[1].As<Napi::Number>().Int64Value());
  return Napi::Boolean::New(
      info.Env(), limitRtspClient(static_cast<std::uint64_t>(info[0].As<Napi::Number>().Int64Value()), bps));
}

Napi::Value RtspKick(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "kick needs a number");
  return Napi::Boolean::New(info.Env(),
                            kickRtspClient(static_cast<std::uint64_t>(info[0].As<Napi::Number>().Int64Value())));
}

/** The members of WebRtcOffer. */
Napi::Value WebRtcOpen(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "The offer must be an object");
  const auto given = info[0].As<Napi::Object>();
  const auto member = [&given](const char* name) { return given.Get(name).ToString().Utf8Value(); };
  WebRtcOffer offer;
  offer.session = member("session");
  offer.sdp = member("sdp");
  offer.channel = member("channel");
  offer.caps = member("caps");
  offer.stunServer = member("stunServer");
  offer.trickle = given.Get("trickle").ToBoolean();
  offer.receives = given.Get("receives").ToBoolean();
  const auto servers = given.Get("turnServers").As<Napi::Array>();
  for (std::uint32_t index = 0; index < servers.Length(); index += 1)
    offer.turnServers.push_back(servers.Get(index).ToString());
  try {
    openWebRtc(offer);
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
  return info.Env().Undefined();
}

Napi::Value WebRtcAnswer(const Napi::CallbackInfo& info) {
  try {
    return Napi::Boolean::New(info.Env(), answerWebRtc(text(info, 0, "session"), text(info, 1, "answer")));
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(info.Env(), error.what());
  }
}

Napi::Value WebRtcCandidate(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), addWebRtcCandidate(text(info, 0, "session"),
                                                           static_cast<unsigned>(number(info, 1)),
                                                           text(info, 2, "candidate")));
}

Napi::Value WebRtcStatistics(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), webRtcStatistics(text(info, 0, "session")));
}

Napi::Value WebRtcSamples(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), webRtcSamples(text(info, 0, "session")));
}

Napi::Value WebRtcSilence(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), webRtcSilence(text(info, 0, "session")));
}

Napi::Value WebRtcClose(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), closeWebRtc(text(info, 0, "session")));
}

/** Does its work on another thread, because a driver may take its time, and answers a promise. */
template <typename Result>
class Work final : public Napi::AsyncWorker {
 public:
  Work(Napi::Env env, std::function<Result()> task, std::function<Napi::Value(Napi::Env, const Result&)> convert)
      : Napi::AsyncWorker(env),
        task_(std::move(task)),
        convert_(std::move(convert)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise start() {
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  void Execute() override { result_ = task_(); }
  void OnOK() override { deferred_.Resolve(convert_(Env(), result_)); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  std::function<Result()> task_;
  std::function<Napi::Value(Napi::Env, const Result&)> convert_;
  Napi::Promise::Deferred deferred_;
  Result result_;
};

Napi::Value VideoDevice(const Napi::CallbackInfo& info) {
  // A worker deletes itself when it is done.
  auto* work = new Work<std::string>(
      info.Env(), [path = text(info, 0, "path")] { return describeVideoDevice(path); },
      [](Napi::Env env, const std::string& json) { return Napi::String::New(env, json); });
  return work->start();
}

/** A path and a list of {id, value}. */
Napi::Value SetControls(const Napi::CallbackInfo& info) {
  const std::string path = text(info, 0, "path");
  if (info.Length() < 2 || !info[1].IsArray()) throw Napi::TypeError::New(info.Env(), "The controls must be a list");
  const auto list = info[1].As<Napi::Array>();
  std::vector<ControlValue> values;
  for (std::uint32_t index = 0; index < list.Length(); index += 1) {
    const auto control = list.Get(index).As<Napi::Object>();
    values.push_back({control.Get("id").ToNumber().Uint32Value(), control.Get("value").ToNumber().Int64Value()});
  }
  using Refusals = std::vector<std::string>;
  auto* work = new Work<Refusals>(
      info.Env(), [path, values] { return setVideoControls(path, values); },
      [](Napi::Env env, const Refusals& refusals) -> Napi::Value {
        const auto answer = Napi::Array::New(env, refusals.size());
        for (std::uint32_t index = 0; index < refusals.size(); index += 1)
          answer.Set(index, Napi::String::New(env, refusals[index]));
        return answer;
      });
  return work->start();
}

Napi::Value Version(const Napi::CallbackInfo& info) {
  gchar* version = gst_version_string();
  const std::string words = version;
  g_free(version);
  return Napi::String::New(info.Env(), words);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  GError* error = nullptr;
  if (!gst_init_check(nullptr, nullptr, &error)) {
    const std::string message = error == nullptr ? "GStreamer does not start" : error->message;
    g_clear_error(&error);
    throw Napi::Error::New(env, message);
  }
  if (!registerHubSink() || !registerHubSrc() || !registerTimestamp() || !registerH264Packets() ||
      !registerRtpReceiver() || !registerRtpTimes() || !registerTurn() || !registerZoom())
    throw Napi::Error::New(env, "The elements of this addon cannot be registered");
  exports.Set("listen", Napi::Function::New(env, Listen, "listen"));
  exports.Set("channels", Napi::Function::New(env, Channels, "channels"));
  exports.Set("forgetChannel", Napi::Function::New(env, ForgetChannel, "forgetChannel"));
  exports.Set("liveSince", Napi::Function::New(env, LiveSince, "liveSince"));
  exports.Set("openTap", Napi::Function::New(env, OpenTap, "openTap"));
  exports.Set("closeTap", Napi::Function::New(env, CloseTap, "closeTap"));
  exports.Set("takeFromTap", Napi::Function::New(env, TakeFromTap, "takeFromTap"));
  exports.Set("setProperty", Napi::Function::New(env, SetProperty, "setProperty"));
  exports.Set("alignment", Napi::Function::New(env, Alignment, "alignment"));
  exports.Set("graph", Napi::Function::New(env, Graph, "graph"));
  exports.Set("release", Napi::Function::New(env, Release, "release"));
  exports.Set("hasElement", Napi::Function::New(env, HasElement, "hasElement"));
  exports.Set("parse", Napi::Function::New(env, Parse, "parse"));
  exports.Set("rtspListen", Napi::Function::New(env, RtspListen, "rtspListen"));
  exports.Set("rtspsListen", Napi::Function::New(env, RtspsListen, "rtspsListen"));
  exports.Set("rtspLimit", Napi::Function::New(env, RtspLimit, "rtspLimit"));
  exports.Set("rtspMulticast", Napi::Function::New(env, RtspMulticastOffer, "rtspMulticast"));
  exports.Set("rtspMounts", Napi::Function::New(env, RtspMounts, "rtspMounts"));
  exports.Set("rtspAccess", Napi::Function::New(env, RtspAccessTable, "rtspAccess"));
  exports.Set("rtspClients", Napi::Function::New(env, RtspClients, "rtspClients"));
  exports.Set("rtspLoopLag", Napi::Function::New(env, RtspLoopLag, "rtspLoopLag"));
  exports.Set("rtspSamples", Napi::Function::New(env, RtspSamples, "rtspSamples"));
  exports.Set("rtspLimitClient", Napi::Function::New(env, RtspLimitClient, "rtspLimitClient"));
  exports.Set("rtspKick", Napi::Function::New(env, RtspKick, "rtspKick"));
  exports.Set("webrtcOpen", Napi::Function::New(env, WebRtcOpen, "webrtcOpen"));
  exports.Set("webrtcAnswer", Napi::Function::New(env, WebRtcAnswer, "webrtcAnswer"));
  exports.Set("webrtcCandidate", Napi::Function::New(env, WebRtcCandidate, "webrtcCandidate"));
  exports.Set("webrtcStatistics", Napi::Function::New(env, WebRtcStatistics, "webrtcStatistics"));
  exports.Set("webrtcSamples", Napi::Function::New(env, WebRtcSamples, "webrtcSamples"));
  exports.Set("webrtcSilence", Napi::Function::New(env, WebRtcSilence, "webrtcSilence"));
  exports.Set("webrtcClose", Napi::Function::New(env, WebRtcClose, "webrtcClose"));
  exports.Set("videoDevice", Napi::Function::New(env, VideoDevice, "videoDevice"));
  exports.Set("setControls", Napi::Function::New(env, SetControls, "setControls"));
  exports.Set("version", Napi::Function::New(env, Version, "version"));
  return exports;
}

}  // namespace
}  // namespace obscura

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return obscura::Init(env, exports); }

NODE_API_MODULE(obscura_media, InitModule)
