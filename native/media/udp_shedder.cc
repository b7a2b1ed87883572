#include "udp_shedder.h"

#include <gio/gio.h>

namespace obscura {
namespace {

constexpr const char* shedderName = "obscura-udp-shedder";
constexpr const char* removal = "remove";

using Pointer = std::shared_ptr<UdpShedder>;

/** While this thread takes a viewer out of the sink: then it does not leave. */
thread_local bool takesOver = false;

void forgetShedder(gpointer data) { delete static_cast<Pointer*>(data); }

GstPadProbeReturn onPackets(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  GstElement* sink = gst_pad_get_parent_element(pad);
  if (sink == nullptr) return GST_PAD_PROBE_OK;
  (*static_cast<Pointer*>(data))->take(sink, GST_MINI_OBJECT(GST_PAD_PROBE_INFO_DATA(info)));
  gst_object_unref(sink);
  return GST_PAD_PROBE_OK;
}

/** However a viewer leaves, the library takes it out of the sink in the end, which would complain of one it has not. */
void onRemove(GstElement* sink, const gchar* host, gint port, gpointer data) {
  if (!takesOver && (*static_cast<Pointer*>(data))->forget({host, port})) g_signal_stop_emission_by_name(sink, removal);
}

GSocket* socketOf(GstElement* sink, const char* property) {
  GSocket* socket = nullptr;
  g_object_get(sink, property, &socket, nullptr);
  return socket;
}

std::uint16_t numberOf(GstBuffer* packet) {
  guint8 number[2] = {};
  gst_buffer_extract(packet, rtpSequenceAt, number, sizeof(number));
  return GST_READ_UINT16_BE(number);
}

}  // namespace

Pointer UdpShedder::of(GstElement* sink) {
  const auto* known = static_cast<Pointer*>(g_object_get_data(G_OBJECT(sink), shedderName));
  return known == nullptr ? nullptr : *known;
}

Pointer UdpShedder::before(GstElement* sink) {
  if (Pointer known = of(sink); known != nullptr) return known;
  const auto shedder = std::make_shared<UdpShedder>();
  GstPad* pad = gst_element_get_static_pad(sink, "sink");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  shedder->keySign_ = keySignOf(caps);
  gst_clear_caps(&caps);
  g_object_set_data_full(G_OBJECT(sink), shedderName, new Pointer(shedder), forgetShedder);
  g_signal_connect_data(sink, removal, G_CALLBACK(onRemove), new Pointer(shedder),
                        [](gpointer data, GClosure*) { forgetShedder(data); }, static_cast<GConnectFlags>(0));
  const auto packets = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(pad, packets, onPackets, new Pointer(shedder), forgetShedder);
  gst_object_unref(pad);
  return shedder;
}

void UdpShedder::limit(const Destination& to, std::optional<std::uint64_t> bps) {
  const std::lock_guard<std::mutex> hold(lock_);
  const auto known = thinned_.find(to);
  if (known != thinned_.end())
    known->second->limit(bps);
  else if (bps.has_value())
    awaited_[to] = *bps;
  else
    awaited_.erase(to);
}

std::optional<ThinState> UdpShedder::stateOf(const Destination& to) {
  const std::lock_guard<std::mutex> hold(lock_);
  const auto known = thinned_.find(to);
  return known == thinned_.end() ? std::nullopt : std::optional(known->second->state());
}

bool UdpShedder::forget(const Destination& to) {
  const std::lock_guard<std::mutex> hold(lock_);
  awaited_.erase(to);
  return thinned_.erase(to) > 0;
}

void UdpShedder::take(GstElement* sink, GstMiniObject* packets) {
  GstBuffer* first = firstOf(packets);
  if (first == nullptr) return;
  const std::lock_guard<std::mutex> hold(lock_);
  if (awaited_.empty() && thinned_.empty()) {
    latest_.reset();
    return;
  }
  const RtpPicture picture = pictureOf(first, keySign_);
  const bool begins = latest_.has_value() && latest_ != picture.timestamp;
  latest_ = picture.timestamp;
  // In between, a picture would be sent in halves, one from here and one from there.
  if (begins && !awaited_.empty()) takeOver(sink, numberOf(first));
  for (const auto& [to, stream] : thinned_) stream->take(packets, picture);
}

void UdpShedder::takeOver(GstElement* sink, std::uint16_t number) {
  GSocket* socket = socketOf(sink, "used-socket");
  GSocket* socketV6 = socketOf(sink, "used-socket-v6");
  for (const auto& [to, bps] : awaited_) {
    const auto& [host, port] = to;
    const auto sent = bytesSentBy(sink, host, port);
    auto stream = sent.has_value() ? ThinStream::to(host.c_str(), port, socket, socketV6) : nullptr;
    if (stream == nullptr) continue;
    stream->begin(number, *sent);
    stream->limit(bps);
    thinned_[to] = std::move(stream);
    takesOver = true;
    g_signal_emit_by_name(sink, removal, host.c_str(), port);
    takesOver = false;
  }
  awaited_.clear();
  g_clear_object(&socket);
  g_clear_object(&socketV6);
}

std::optional<std::uint64_t> bytesSentBy(GstElement* sink, const std::string& host, int port) {
  GstStructure* stats = nullptr;
  g_signal_emit_by_name(sink, "get-stats", host.c_str(), port, &stats);
  if (stats == nullptr) return std::nullopt;
  guint64 sent = 0;
  const bool isKnown = gst_structure_get_uint64(stats, "bytes-sent", &sent);
  gst_structure_free(stats);
  return isKnown ? std::optional<std::uint64_t>(sent) : std::nullopt;
}

}  // namespace obscura
