#include "webrtc.h"

#include <dlfcn.h>
#include <gst/gst.h>
#include <gst/sdp/sdp.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "events.h"
#include "h264packets.h"
#include "hubsrc.h"
#include "pipelines.h"
#include "retransmissions.h"
#include "receiver_words.h"
#include "rtp_reports.h"

namespace obscura {
namespace {

/**
 * What of libgstwebrtc is needed here. Its headers are in a package that brings a computer vision library along, and
 * the library is there wherever webrtcbin is; these parts of it are stable.
 */
struct Description {
  int type;
  GstSDPMessage* sdp;
};
constexpr int typeOffer = 1;
constexpr int typeAnswer = 3;
constexpr int directionSendOnly = 2;
constexpr int gatheringComplete = 2;
/** In which packets of a sender are put into order. */
constexpr int receivingLatencyMs = 50;
/** In which the last packet leaves. */
constexpr gulong goodbyeUs = 100'000;
constexpr GstClockTime betweenReports = 500 * GST_MSECOND;
constexpr gint connectionConnected = 2;
const char* const connectionStates[] = {"new", "connecting", "connected", "disconnected", "failed", "closed"};

struct Library {
  Description* (*newDescription)(int type, GstSDPMessage* sdp) = nullptr;
  void (*freeDescription)(Description* description) = nullptr;
};

const Library& library() {
  static const Library loaded = [] {
    Library found;
    void* handle = dlopen("libgstwebrtc-1.0.so.0", RTLD_NOW | RTLD_GLOBAL);
    if (handle == nullptr) return found;
    found.newDescription =
        reinterpret_cast<decltype(found.newDescription)>(dlsym(handle, "gst_webrtc_session_description_new"));
    found.freeDescription =
        reinterpret_cast<decltype(found.freeDescription)>(dlsym(handle, "gst_webrtc_session_description_free"));
    return found;
  }();
  return loaded;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(WebRtcOffer offer) : offer_(std::move(offer)) {}
  ~Session() {
    if (packets_ != nullptr) gst_object_unref(packets_);
    if (bin_ != nullptr) gst_object_unref(bin_);
    if (pipeline_ != nullptr) gst_object_unref(pipeline_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void open() {
    const std::string sends = "hubsrc name=frames channel=" + offer_.channel + " owner=\"" + offer_.session + "\" ! " +
                              "h264packets name=packets caps=\"" + offer_.caps + "\" ! ";
    const std::string text = (offer_.receives ? "" : sends) + "webrtcbin name=rtc bundle-policy=max-bundle latency=" +
                             std::to_string(offer_.receives ? receivingLatencyMs : 0);
    GError* error = nullptr;
    pipeline_ = gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error);
    if (pipeline_ == nullptr) {
      const std::string reason = error == nullptr ? "WebRTC is not available" : error->message;
      g_clear_error(&error);
      throw std::runtime_error(reason);
    }
    gst_object_ref_sink(pipeline_);
    if (!GST_IS_PIPELINE(pipeline_)) {
      // A single element comes without one.
      GstElement* pipeline = gst_pipeline_new(nullptr);
      gst_bin_add(GST_BIN(pipeline), pipeline_);
      gst_object_unref(pipeline_);
      pipeline_ = GST_ELEMENT(gst_object_ref_sink(pipeline));
    }
    bin_ = gst_bin_get_by_name(GST_BIN(pipeline_), "rtc");
    packets_ = gst_bin_get_by_name(GST_BIN(pipeline_), "packets");
    if (offer_.receives) {
      // Otherwise the hubsrc has done so.
      adoptPipelineOf(bin_, offer_.session);
      connect("pad-added", G_CALLBACK(+[](GstElement*, GstPad* pad, gpointer data) {
                if (const auto session = self(data)) session->onStream(pad);
              }));
    }
    if (!offer_.stunServer.empty()) g_object_set(bin_, "stun-server", offer_.stunServer.c_str(), nullptr);
    for (const auto& server : offer_.turnServers) {
      gboolean added = FALSE;
      g_signal_emit_by_name(bin_, "add-turn-server", server.c_str(), &added);
    }
    setWatched(pipeline_, false);
    doWithoutRouters();
    arrangeParts();
    connect("notify::connection-state", G_CALLBACK(+[](GObject*, GParamSpec*, gpointer data) {
              if (const auto session = self(data)) session->onConnectionState();
            }));
    connect("notify::ice-gathering-state", G_CALLBACK(+[](GObject*, GParamSpec*, gpointer data) {
              if (const auto session = self(data)) session->onGatheringState();
            }));
    if (offer_.trickle)
      connect("on-ice-candidate", G_CALLBACK(+[](GstElement*, guint line, gchar* candidate, gpointer data) {
                if (const auto session = self(data)) session->onCandidate(line, candidate);
              }));

    if (offer_.sdp.empty()) {
      agreeOnCaps();
      eachTransceiver(
          [](GObject* transceiver) { g_object_set(transceiver, "direction", directionSendOnly, nullptr); });
      gst_element_set_state(pipeline_, GST_STATE_PLAYING);
      g_signal_emit_by_name(bin_, "create-offer", nullptr, promise(&Session::onDescription));
      return;
    }
    Description* remote = parsed(typeOffer, offer_.sdp);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    g_signal_emit_by_name(bin_, "set-remote-description", remote, promise(&Session::onRemoteDescription));
    library().freeDescription(remote);
  }

  void takeAnswer(const std::string& sdp) {
    Description* remote = parsed(typeAnswer, sdp);
    GstPromise* done = gst_promise_new();
    g_signal_emit_by_name(bin_, "set-remote-description", remote, done);
    gst_promise_unref(done);
    library().freeDescription(remote);
  }

  /** Milliseconds since the browser last said anything; negative before the first time. */
  double silence() const {
    const std::int64_t last = lastHeard_;
    return last == 0 ? -1.0 : static_cast<double>(g_get_monotonic_time() - last) / 1000.0;
  }

  std::string statistics() {
    Json json;
    GObject* session = rtpSession();
    if (session != nullptr) {
      json.set("bytes", bytesSent(session));
      const auto report = receiverReport(session, "");
      if (report.has_value()) json.setRaw("report", report->text());
      const Requests requests = requestsReceived(session);
      json.set("nacks", requests.nacks).set("plis", requests.plis).set("firs", requests.firs);
      g_object_unref(session);
    }
    const auto feedback = packets_ == nullptr ? std::nullopt : trainsOf(packets_).totals();
    if (feedback.has_value()) json.setRaw("feedback", feedback->text());
    return json.text();
  }

  /** What has been learnt of the way to the browser since the last time, as a list. */
  std::string samples() {
    if (packets_ == nullptr) return "[]";
    std::vector<std::string> all;
    auto feedback = trainsOf(packets_).collect();
    if (feedback.has_value()) all.push_back(feedback->set("kind", "transport").text());
    const ReceiverWords words = words_.take();
    if (words.estimate.has_value())
      all.push_back(Json().set("kind", "estimate").set("bps", *words.estimate).text());
    if (words.report.has_value()) all.push_back(reportSample(*words.report).text());
    std::string list;
    for (const auto& each : all) list += (list.empty() ? "" : ",") + each;
    return "[" + list + "]";
  }

  void addCandidate(unsigned line, const std::string& candidate) {
    g_signal_emit_by_name(bin_, "add-ice-candidate", line, candidate.c_str());
  }

  /** Takes a while, so on a thread of its own, which holds the session until it is done. */
  void close() {
    auto* held = new std::shared_ptr<Session>(shared_from_this());
    g_thread_unref(g_thread_new(
        "obscura-close",
        [](gpointer data) -> gpointer {
          const std::unique_ptr<std::shared_ptr<Session>> session(static_cast<std::shared_ptr<Session>*>(data));
          (*session)->end();
          return nullptr;
        },
        held));
  }

 private:
  Json reportSample(const ReportBlock& report) {
    GObject* session = rtpSession();
    const std::uint64_t bytes = session == nullptr ? 0 : bytesSent(session);
    if (session != nullptr) g_object_unref(session);
    const std::int64_t now = g_get_monotonic_time();
    const double seconds = static_cast<double>(now - reportedAt_) / G_USEC_PER_SEC;
    const double rate = static_cast<double>(bytes - reportedBytes_) * 8.0 / seconds;
    reportedAt_ = now;
    reportedBytes_ = bytes;
    return report.text().set("kind", "report").set("sentBps", static_cast<std::uint64_t>(rate));
  }

  using Handler = void (Session::*)(const GstStructure* reply);
  struct Call {
    std::shared_ptr<Session> session;
    Handler handler;
  };

  /** Nothing where the session has gone in the meantime. */
  static std::shared_ptr<Session> self(gpointer data) { return static_cast<std::weak_ptr<Session>*>(data)->lock(); }

  /** A handler may be called while the session is being closed, so it holds it only weakly. */
  void connect(const char* signal, GCallback handler) { connectTo(bin_, signal, handler); }

  void connectTo(gpointer object, const char* signal, GCallback handler) {
    g_signal_connect_data(
        object, signal, handler, new std::weak_ptr<Session>(shared_from_this()),
        [](gpointer data, GClosure*) { delete static_cast<std::weak_ptr<Session>*>(data); },
        static_cast<GConnectFlags>(0));
  }

  static Description* parsed(int type, const std::string& sdp) {
    GstSDPMessage* message = nullptr;
    if (gst_sdp_message_new_from_text(sdp.c_str(), &message) != GST_SDP_OK)
      throw std::runtime_error("The description cannot be read");
    return library().newDescription(type, message);
  }

  template <typename Act>
  void eachTransceiver(Act act) {
    GArray* transceivers = nullptr;
    g_signal_emit_by_name(bin_, "get-transceivers", &transceivers);
    if (transceivers == nullptr) return;
    for (guint index = 0; index < transceivers->len; index += 1) act(g_array_index(transceivers, GObject*, index));
    g_array_unref(transceivers);
  }

  /**
   * Before packets flow the payloader says too little of them: the numbers for congestion control would be left out, and
   * the source (SSRC) of the pictures, for which a browser then takes that of the packets that are sent again. It would
   * decode the pictures and show none.
   */
  void agreeOnCaps() {
    eachTransceiver([this](GObject* transceiver) {
      GstCaps* caps = gst_caps_from_string(offer_.caps.c_str());
      if (packets_ != nullptr) gst_caps_set_simple(caps, "ssrc", G_TYPE_UINT, ssrcOf(packets_), nullptr);
      g_object_set(transceiver, "codec-preferences", caps, "do-nack", TRUE, nullptr);
      gst_caps_unref(caps);
    });
  }

  GstPromise* promise(Handler handler) {
    return gst_promise_new_with_change_func(
        [](GstPromise* kept, gpointer data) {
          const auto* call = static_cast<Call*>(data);
          const bool replied = gst_promise_wait(kept) == GST_PROMISE_RESULT_REPLIED;
          ((*call->session).*(call->handler))(replied ? gst_promise_get_reply(kept) : nullptr);
          gst_promise_unref(kept);
        },
        new Call{shared_from_this(), handler}, [](gpointer data) { delete static_cast<Call*>(data); });
  }

  /** Asking routers for a way through takes 200 ms of every beginning, and those that answer are few. */
  void doWithoutRouters() {
    GObject* ice = nullptr;
    g_object_get(bin_, "ice-agent", &ice, nullptr);
    GObject* agent = nullptr;
    if (ice != nullptr && g_object_class_find_property(G_OBJECT_GET_CLASS(ice), "agent") != nullptr)
      g_object_get(ice, "agent", &agent, nullptr);
    if (agent != nullptr && g_object_class_find_property(G_OBJECT_GET_CLASS(agent), "upnp") != nullptr)
      g_object_set(agent, "upnp", FALSE, nullptr);
    g_clear_object(&agent);
    g_clear_object(&ice);
  }

  /** What webrtcbin adds by itself is made to fit as it comes. */
  void arrangeParts() {
    g_signal_connect(bin_, "deep-element-added", G_CALLBACK(+[](GstBin*, GstBin*, GstElement* added, gpointer) {
                       const GstElementFactory* factory = gst_element_get_factory(added);
                       // Some of its parts are of types that nobody else can make.
                       if (factory == nullptr) return;
                       const gchar* name = GST_OBJECT_NAME(factory);
                       if (g_str_equal(name, "rtpulpfecenc") || g_str_equal(name, "rtpredenc")) passLists(added);
                       if (g_str_equal(name, "rtprtxsend")) limitRetransmissions(added);
                     }),
                     nullptr);
  }

  /**
   * What is lost is sent again, so the elements for redundant packets have nothing to add. But they take lists of
   * packets apart, and everything after them would be called for each packet instead of for each picture.
   */
  static void passLists(GstElement* element) {
    GstPad* sink = gst_element_get_static_pad(element, "sink");
    gst_pad_set_chain_list_function(sink, [](GstPad*, GstObject* parent, GstBufferList* list) {
      GstPad* source = gst_element_get_static_pad(GST_ELEMENT(parent), "src");
      const GstFlowReturn flow = gst_pad_push_list(source, list);
      gst_object_unref(source);
      return flow;
    });
    gst_object_unref(sink);
  }

  /** Of the two codecs that are agreed on here; parsebin would leave VP8 in its packets. */
  static std::string parserOf(GstPad* pad) {
    GstCaps* caps = gst_pad_get_current_caps(pad);
    if (caps == nullptr) caps = gst_pad_query_caps(pad, nullptr);
    const gchar* codec = gst_structure_get_string(gst_caps_get_structure(caps, 0), "encoding-name");
    const std::string parser = g_strcmp0(codec, "VP8") == 0 ? "rtpvp8depay" : "rtph264depay ! h264parse";
    gst_caps_unref(caps);
    return parser;
  }

  /** What the browser sends goes on as a camera's does. */
  void onStream(GstPad* pad) {
    if (gst_pad_get_direction(pad) != GST_PAD_SRC || isFed_.exchange(true)) return;
    const std::string text = "rtptimes ! " + parserOf(pad) + " ! hubsink channel=" + offer_.channel + " owner=\"" +
                             offer_.session + "\"";
    GError* error = nullptr;
    GstElement* feed = gst_parse_bin_from_description(text.c_str(), TRUE, &error);
    if (feed == nullptr) {
      say("failed", Json().set("reason", error == nullptr ? "The stream cannot be taken" : error->message));
      g_clear_error(&error);
      return;
    }
    gst_bin_add(GST_BIN(pipeline_), feed);
    gst_element_sync_state_with_parent(feed);
    GstPad* sink = gst_element_get_static_pad(feed, "sink");
    gst_pad_link(pad, sink);
    gst_object_unref(sink);
  }

  void onRemoteDescription(const GstStructure*) {
    agreeOnCaps();
    g_signal_emit_by_name(bin_, "create-answer", nullptr, promise(&Session::onDescription));
  }

  void onDescription(const GstStructure* reply) {
    Description* own = nullptr;
    for (const char* field : {"answer", "offer"})
      if (reply != nullptr && gst_structure_has_field(reply, field))
        gst_structure_get(reply, field, g_type_from_name("GstWebRTCSessionDescription"), &own, nullptr);
    if (own == nullptr) {
      gchar* why = reply == nullptr ? nullptr : gst_structure_to_string(reply);
      say("failed", Json().set("reason", why == nullptr ? "There is nothing to agree on" : why));
      g_free(why);
      return;
    }
    listenToReports();
    tellTimesOfCapture(bin_);
    GstPromise* done = gst_promise_new();
    g_signal_emit_by_name(bin_, "set-local-description", own, done);
    gst_promise_unref(done);
    if (offer_.trickle) sayDescription(own);
    library().freeDescription(own);
  }

  /** Nothing before the session is described; the caller owns it. */
  GObject* rtpSession() {
    GstElement* rtpbin = gst_bin_get_by_name(GST_BIN(bin_), "rtpbin");
    if (rtpbin == nullptr) return nullptr;
    GObject* session = nullptr;
    g_signal_emit_by_name(rtpbin, "get-internal-session", 0, &session);
    gst_object_unref(rtpbin);
    return session;
  }

  /** A browser that is closed says nothing, and its reports are what is missed first. */
  void listenToReports() {
    GObject* reports = rtpSession();
    if (reports == nullptr) return;
    // Otherwise what receivers say of the way here and back would be of a report of ours from seconds before.
    g_object_set(reports, "rtcp-min-interval", static_cast<guint64>(betweenReports), nullptr);
    connectTo(reports, "on-receiving-rtcp", G_CALLBACK(+[](GObject*, GstBuffer* packets, gpointer data) {
                const auto session = self(data);
                if (session == nullptr) return;
                session->lastHeard_ = g_get_monotonic_time();
                if (session->packets_ != nullptr) session->words_.hear(packets, ssrcOf(session->packets_));
              }));
    g_object_unref(reports);
  }

  void onCandidate(guint line, const gchar* candidate) {
    say("candidate", Json().set("line", static_cast<std::uint64_t>(line)).set("candidate", candidate));
  }

  void onGatheringState() {
    gint state = 0;
    g_object_get(bin_, "ice-gathering-state", &state, nullptr);
    if (state != gatheringComplete || offer_.trickle) return;
    Description* local = nullptr;
    g_object_get(bin_, "local-description", &local, nullptr);
    if (local == nullptr) return;
    sayDescription(local);
    library().freeDescription(local);
  }

  void onConnectionState() {
    gint state = 0;
    g_object_get(bin_, "connection-state", &state, nullptr);
    if (state == connectionConnected) wasConnected_ = true;
    setWatched(pipeline_, state == connectionConnected);
    if (state >= 0 && state < static_cast<gint>(G_N_ELEMENTS(connectionStates)))
      say("state", Json().set("state", connectionStates[state]));
  }

  void sayDescription(const Description* own) {
    gchar* text = gst_sdp_message_as_text(own->sdp);
    say("description", Json().set("sdp", text));
    g_free(text);
  }

  void say(const char* what, const Json& details) {
    tell(Json().set("event", "webrtc").set("session", offer_.session).set("what", what).setRaw("details", details.text()));
  }

  /** Tells the browser that nothing more will come; otherwise it would hope for a quarter of a minute. */
  void sayGoodbye() {
    GstIterator* encoders = gst_bin_iterate_all_by_element_factory_name(GST_BIN(bin_), "dtlsenc");
    gst_iterator_foreach(
        encoders,
        [](const GValue* each, gpointer) {
          GstPad* pad = gst_element_get_static_pad(GST_ELEMENT(g_value_get_object(each)), "sink");
          if (pad == nullptr) return;
          gst_pad_send_event(pad, gst_event_new_eos());
          gst_object_unref(pad);
        },
        nullptr);
    gst_iterator_free(encoders);
    g_usleep(goodbyeUs);
  }

  void end() {
    // Without a connection there is nobody to say it to, and the elements complain of being made to.
    if (wasConnected_) sayGoodbye();
    // Also takes it out of the list of pipelines; the reference that is dropped there is taken here.
    gst_object_ref(pipeline_);
    if (!releasePipeline(offer_.session)) {
      gst_element_set_state(pipeline_, GST_STATE_NULL);
      gst_object_unref(pipeline_);
    }
    say("closed", Json());
  }

  const WebRtcOffer offer_;
  GstElement* pipeline_ = nullptr;
  GstElement* bin_ = nullptr;
  /** Where something is sent. */
  GstElement* packets_ = nullptr;
  WordsOfReceiver words_;
  std::int64_t reportedAt_ = g_get_monotonic_time();
  std::uint64_t reportedBytes_ = 0;
  std::atomic<std::int64_t> lastHeard_{0};
  std::atomic<bool> isFed_{false};
  std::atomic<bool> wasConnected_{false};
};

std::mutex lock;

std::map<std::string, std::shared_ptr<Session>>& sessions() {
  static std::map<std::string, std::shared_ptr<Session>> all;
  return all;
}

std::shared_ptr<Session> find(const std::string& name) {
  const std::lock_guard<std::mutex> hold(lock);
  const auto found = sessions().find(name);
  return found == sessions().end() ? nullptr : found->second;
}

}  // namespace

void openWebRtc(const WebRtcOffer& offer) {
  if (library().newDescription == nullptr) throw std::runtime_error("libgstwebrtc is not installed");
  const auto session = std::make_shared<Session>(offer);
  {
    const std::lock_guard<std::mutex> hold(lock);
    sessions()[offer.session] = session;
  }
  try {
    session->open();
  } catch (...) {
    const std::lock_guard<std::mutex> hold(lock);
    sessions().erase(offer.session);
    throw;
  }
}

bool answerWebRtc(const std::string& name, const std::string& sdp) {
  const auto session = find(name);
  if (session == nullptr) return false;
  session->takeAnswer(sdp);
  return true;
}

bool addWebRtcCandidate(const std::string& name, unsigned line, const std::string& candidate) {
  const auto session = find(name);
  if (session == nullptr) return false;
  session->addCandidate(line, candidate);
  return true;
}

std::string webRtcStatistics(const std::string& name) {
  const auto session = find(name);
  return session == nullptr ? "{}" : session->statistics();
}

std::string webRtcSamples(const std::string& name) {
  const auto session = find(name);
  return session == nullptr ? "[]" : session->samples();
}

double webRtcSilence(const std::string& name) {
  const auto session = find(name);
  return session == nullptr ? -1.0 : session->silence();
}

bool closeWebRtc(const std::string& name) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard<std::mutex> hold(lock);
    const auto found = sessions().find(name);
    if (found == sessions().end()) return false;
    session = found->second;
    sessions().erase(found);
  }
  session->close();
  return true;
}

}  // namespace obscura
