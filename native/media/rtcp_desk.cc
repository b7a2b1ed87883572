#include "rtcp_desk.h"

#include <gst/net/gstnetaddressmeta.h>

#include <algorithm>
#include <utility>

#include "hubsrc.h"

namespace obscura {
namespace {

constexpr const char* deskName = "obscura-rtcp-desk";
constexpr const char* listenedName = "obscura-listened";
/** Seconds of them lie between two of the library's own choice; a round trip is as old as the report that was answered. */
constexpr std::uint64_t betweenReportsNs = 500 * GST_MSECOND;
constexpr std::size_t mostSent = 64;
/** An answer may seem to come so much before the question: clocks are read one after the other. */
constexpr double leewayMs = 2;
constexpr const char* mappedPrefix = "::ffff:";

using DeskPointer = std::shared_ptr<RtcpDesk>;

/** What is at one way in. */
struct Door {
  DeskPointer desk;
  bool isInterleaved;
};

/** An IPv4 address is written the same whatever the socket was made for. */
std::string plainHost(const std::string& host) {
  const std::string prefix = mappedPrefix;
  const bool isMapped = host.compare(0, prefix.size(), prefix) == 0 && host.find('.') != std::string::npos;
  return isMapped ? host.substr(prefix.size()) : host;
}

RtcpOrigin originOf(GstBuffer* buffer, bool isInterleaved) {
  const GstNetAddressMeta* meta = gst_buffer_get_net_address_meta(buffer);
  if (meta == nullptr || !G_IS_INET_SOCKET_ADDRESS(meta->addr)) return {"", 0, isInterleaved};
  auto* socketAddress = G_INET_SOCKET_ADDRESS(meta->addr);
  gchar* host = g_inet_address_to_string(g_inet_socket_address_get_address(socketAddress));
  RtcpOrigin origin{plainHost(host), g_inet_socket_address_get_port(socketAddress), isInterleaved};
  g_free(host);
  return origin;
}

GstPadProbeReturn onIncoming(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const auto* door = static_cast<Door*>(data);
  GstBuffer* buffer = gst_pad_probe_info_get_buffer(info);
  const RtcpOrigin origin = originOf(buffer, door->isInterleaved);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_PAD_PROBE_DROP;
  door->desk->hear(origin, map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  // All viewers share the session: of whoever speaks in its name it would believe that, and change its own for everybody.
  return GST_PAD_PROBE_DROP;
}

/** The library makes the ways in when it knows how the first viewer wants to be sent to. */
void onElement(GstBin*, GstBin*, GstElement* added, gpointer data) {
  GstElementFactory* factory = gst_element_get_factory(added);
  const gchar* kind = factory == nullptr ? "" : GST_OBJECT_NAME(factory);
  const bool isInterleaved = g_strcmp0(kind, "appsrc") == 0;
  if (!isInterleaved && g_strcmp0(kind, "udpsrc") != 0) return;
  GstPad* pad = gst_element_get_static_pad(added, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, onIncoming,
                    new Door{*static_cast<DeskPointer*>(data), isInterleaved},
                    [](gpointer door) { delete static_cast<Door*>(door); });
  gst_object_unref(pad);
}

gboolean onOutgoing(GObject*, GstBuffer* buffer, gboolean, gpointer data) {
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    (*static_cast<DeskPointer*>(data))->noteSent(map.data, map.size);
    gst_buffer_unmap(buffer, &map);
  }
  // It is sent when it is time, not earlier.
  return FALSE;
}

void forgetDesk(gpointer data) { delete static_cast<DeskPointer*>(data); }

void letGo(gpointer data, GClosure*) { forgetDesk(data); }

void keepAlive(WeakObject<GstRTSPSession>& weak) {
  GstRTSPSession* session = weak.get();
  if (session == nullptr) return;
  gst_rtsp_session_touch(session);
  g_object_unref(session);
}

}  // namespace

RtcpDesk::RtcpDesk(GstElement* pictures) : pictures_(pictures) {}

void RtcpDesk::openFor(GstRTSPMedia* media) {
  GstElement* element = gst_rtsp_media_get_element(media);
  const auto desk = std::make_shared<RtcpDesk>(element);
  g_object_set_data_full(G_OBJECT(media), deskName, new DeskPointer(desk), forgetDesk);
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(element));
  gst_object_unref(element);
  if (pipeline == nullptr) return;
  g_signal_connect_data(pipeline, "deep-element-added", G_CALLBACK(onElement), new DeskPointer(desk), letGo,
                        static_cast<GConnectFlags>(0));
  gst_object_unref(pipeline);
}

void RtcpDesk::listenTo(GstRTSPMedia* media) {
  const DeskPointer desk = of(media);
  GstRTSPStream* stream = gst_rtsp_media_get_stream(media, 0);
  GObject* session = stream == nullptr ? nullptr : gst_rtsp_stream_get_rtpsession(stream);
  if (session == nullptr) return;
  if (desk != nullptr && g_object_get_data(session, listenedName) == nullptr) {
    g_object_set_data(session, listenedName, session);
    g_object_set(session, "rtcp-min-interval", betweenReportsNs, nullptr);
    g_signal_connect_data(session, "on-sending-rtcp", G_CALLBACK(onOutgoing), new DeskPointer(desk), letGo,
                          static_cast<GConnectFlags>(0));
  }
  g_object_unref(session);
}

std::shared_ptr<RtcpDesk> RtcpDesk::of(GstRTSPMedia* media) {
  const auto* desk = static_cast<DeskPointer*>(g_object_get_data(G_OBJECT(media), deskName));
  return desk == nullptr ? nullptr : *desk;
}

void RtcpDesk::admit(const RtcpOrigin& origin, const std::shared_ptr<RtspPath>& path, GstRTSPSession* session) {
  const RtcpOrigin plain{plainHost(origin.host), origin.port, origin.isInterleaved};
  const std::lock_guard<std::mutex> hold(lock_);
  // An address that is used again is the newcomer's.
  admitted_.erase(std::remove_if(admitted_.begin(), admitted_.end(),
                                 [&plain](const Admitted& each) {
                                   return each.path.expired() || each.origin == plain;
                                 }),
                  admitted_.end());
  admitted_.push_back({plain, path, std::make_shared<WeakObject<GstRTSPSession>>(session)});
}

void RtcpDesk::dismiss(const std::shared_ptr<RtspPath>& path) {
  const std::lock_guard<std::mutex> hold(lock_);
  admitted_.erase(std::remove_if(admitted_.begin(), admitted_.end(),
                                 [&path](const Admitted& each) { return each.path.lock() == path; }),
                  admitted_.end());
}

std::optional<RtcpDesk::Admitted> RtcpDesk::speakerAt(const RtcpOrigin& from) const {
  for (const Admitted& each : admitted_) {
    const RtcpOrigin& known = each.origin;
    if (known.isInterleaved == from.isInterleaved && known.host == from.host &&
        (known.port == 0 || known.port == from.port) && !each.path.expired())
      return each;
  }
  return std::nullopt;
}

std::optional<RoundTrip> RtcpDesk::roundTripOf(const ReceptionReport& report) const {
  const std::int64_t now = g_get_monotonic_time();
  const auto answered = std::find_if(sent_.rbegin(), sent_.rend(), [&report](const SentReport& each) {
    return each.middle == report.lastReport;
  });
  if (report.lastReport == 0 || answered == sent_.rend()) return std::nullopt;
  const double ageMs = static_cast<double>(now - answered->atUs) / 1000;
  const double ms = ageMs - report.delay / 65.536;
  if (ms < -leewayMs) return std::nullopt;
  return RoundTrip{std::max(ms, 0.0), ageMs};
}

void RtcpDesk::hear(const RtcpOrigin& from, const std::uint8_t* data, std::size_t size) {
  const auto news = readRtcp(data, size);
  if (!news.has_value()) return;
  std::unique_lock<std::mutex> hold(lock_);
  const auto speaker = speakerAt(from);
  const auto path = speaker.has_value() ? speaker->path.lock() : nullptr;
  if (path == nullptr) return;
  for (const ReceptionReport& each : news->reports)
    if (ownSsrcs_.empty() || ownSsrcs_.count(each.ssrc) > 0) path->report(each, roundTripOf(each));
  if (news->estimateBps.has_value()) path->estimate(*news->estimateBps);
  path->count(*news);
  hold.unlock();
  keepAlive(*speaker->session);
  if (news->plis + news->firs > 0 && path->mayHaveKeyframe()) askForKeyframe();
}

void RtcpDesk::askForKeyframe() {
  GstElement* pictures = pictures_.get();
  if (pictures == nullptr) return;
  requestKeyframes(pictures);
  gst_object_unref(pictures);
}

void RtcpDesk::noteSent(const std::uint8_t* data, std::size_t size) {
  const auto news = readRtcp(data, size);
  if (!news.has_value()) return;
  const std::lock_guard<std::mutex> hold(lock_);
  for (const OwnReport& each : news->ownReports) {
    ownSsrcs_.insert(each.ssrc);
    sent_.push_back({each.middle, g_get_monotonic_time()});
    if (sent_.size() > mostSent) sent_.pop_front();
  }
}

}  // namespace obscura
