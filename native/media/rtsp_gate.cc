#include "rtsp_gate.h"

#include <algorithm>

#include "hubsrc.h"

namespace obscura {
namespace {

/** Longer than a network hiccup, shorter than anybody wants to be behind. */
constexpr std::int64_t longestHeldUs = G_USEC_PER_SEC / 2;
/** All viewers get the keyframes that one asks for: one that is always too slow must not have its way. */
constexpr std::int64_t betweenRequestsUs = 2 * G_USEC_PER_SEC;

using GatePointer = std::shared_ptr<RtspGate>;

/** What the callbacks of the way in know: the way itself, which the session owns, and the gate. */
struct Entrance {
  GstRTSPStreamTransport* way;
  GatePointer gate;
};

/** The library goes on to the next when it is told that this was sent. */
gboolean accept(const Entrance* entrance, bool isAccepted) {
  if (isAccepted) gst_rtsp_stream_transport_message_sent(entrance->way);
  return isAccepted ? TRUE : FALSE;
}

gboolean onPackets(GstBuffer* buffer, guint8, gpointer data) {
  const auto* entrance = static_cast<Entrance*>(data);
  return accept(entrance, entrance->gate->take(GST_MINI_OBJECT(buffer)));
}

gboolean onPacketList(GstBufferList* list, guint8, gpointer data) {
  const auto* entrance = static_cast<Entrance*>(data);
  return accept(entrance, entrance->gate->take(GST_MINI_OBJECT(list)));
}

gboolean onControl(GstBuffer* buffer, guint8, gpointer data) {
  const auto* entrance = static_cast<Entrance*>(data);
  return accept(entrance, entrance->gate->takeControl(GST_MINI_OBJECT(buffer)));
}

gboolean onControlList(GstBufferList* list, guint8, gpointer data) {
  const auto* entrance = static_cast<Entrance*>(data);
  return accept(entrance, entrance->gate->takeControl(GST_MINI_OBJECT(list)));
}

void closeEntrance(gpointer data) { delete static_cast<Entrance*>(data); }

void onExitSent(gpointer data) {
  if (const GatePointer gate = static_cast<std::weak_ptr<RtspGate>*>(data)->lock()) gate->onSent();
}

KeySign keySignIn(GstRTSPStream* stream) {
  GstCaps* caps = gst_rtsp_stream_get_caps(stream);
  const KeySign sign = keySignOf(caps);
  gst_clear_caps(&caps);
  return sign;
}

/** The header is a memory of its own: what the packet carries is not copied. */
GstBuffer* withEarlierNumber(GstBuffer* packet, guint16 by) {
  GstBuffer* copy = gst_buffer_copy(packet);
  GstMapInfo map;
  if (gst_buffer_map_range(copy, 0, 1, &map, GST_MAP_READWRITE)) {
    if (map.size >= rtpSequenceAt + 2) {
      guint8* number = map.data + rtpSequenceAt;
      GST_WRITE_UINT16_BE(number, static_cast<guint16>(GST_READ_UINT16_BE(number) - by));
    }
    gst_buffer_unmap(copy, &map);
  }
  return copy;
}

/**
 * As a new reference. What was shed must not look lost: players would report it as such, and ffmpeg takes a jump of
 * 3000 for an error.
 */
GstMiniObject* renumbered(GstMiniObject* packets, guint16 by) {
  if (by == 0) return gst_mini_object_ref(packets);
  if (!GST_IS_BUFFER_LIST(packets)) return GST_MINI_OBJECT(withEarlierNumber(GST_BUFFER(packets), by));
  GstBufferList* list = GST_BUFFER_LIST(packets);
  const guint count = gst_buffer_list_length(list);
  GstBufferList* copy = gst_buffer_list_new_sized(count);
  for (guint index = 0; index < count; index += 1)
    gst_buffer_list_add(copy, withEarlierNumber(gst_buffer_list_get(list, index), by));
  return GST_MINI_OBJECT(copy);
}

GstRTSPTransport* copyOf(const GstRTSPTransport* given) {
  GstRTSPTransport* copy = nullptr;
  gst_rtsp_transport_new(&copy);
  *copy = *given;
  copy->destination = g_strdup(given->destination);
  copy->source = g_strdup(given->source);
  return copy;
}

GstRTSPStreamTransport* newEntrance(GstRTSPStream* stream, GstRTSPStreamTransport* exit, const GatePointer& gate) {
  GstRTSPStreamTransport* way =
      gst_rtsp_stream_transport_new(stream, copyOf(gst_rtsp_stream_transport_get_transport(exit)));
  gst_rtsp_stream_transport_set_url(way, gst_rtsp_stream_transport_get_url(exit));
  auto* entrance = new Entrance{way, gate};
  gst_rtsp_stream_transport_set_callbacks(way, onPackets, onControl, entrance, closeEntrance);
  // GStreamer 1.22 never lets go of what it is given here, so it is given nothing of its own.
  gst_rtsp_stream_transport_set_list_callbacks(way, onPacketList, onControlList, entrance, nullptr);
  return way;
}

}  // namespace

std::shared_ptr<RtspGate> RtspGate::putBefore(GstRTSPSessionMedia* sessionMedia, GstRTSPStream* stream) {
  const guint index = gst_rtsp_stream_get_index(stream);
  // The library's own list and not a copy: what stands in it is what the session begins, pauses and ends.
  GPtrArray* ways = gst_rtsp_session_media_get_transports(sessionMedia);
  auto* exit = index < ways->len ? GST_RTSP_STREAM_TRANSPORT(g_ptr_array_index(ways, index)) : nullptr;
  if (exit == nullptr || gst_rtsp_session_media_get_transport(sessionMedia, index) != exit) {
    g_ptr_array_unref(ways);
    return nullptr;
  }
  GstElement* source = gst_rtsp_media_get_element(gst_rtsp_session_media_get_media(sessionMedia));
  const auto gate = std::make_shared<RtspGate>(exit, source, keySignIn(stream));
  gst_object_unref(source);
  gst_rtsp_stream_transport_set_message_sent(exit, onExitSent, new std::weak_ptr<RtspGate>(gate), [](gpointer data) {
    delete static_cast<std::weak_ptr<RtspGate>*>(data);
  });
  GstRTSPStreamTransport* entrance = newEntrance(stream, exit, gate);
  ways->pdata[index] = entrance;
  const bool isInPlace = gst_rtsp_session_media_get_transport(sessionMedia, index) == entrance;
  // Its reference to the exit was that of the list, and the gate has one of its own.
  if (isInPlace)
    g_object_unref(exit);
  else
    g_object_unref(entrance);
  if (!isInPlace) ways->pdata[index] = exit;
  g_ptr_array_unref(ways);
  return isInPlace ? gate : nullptr;
}

RtspGate::RtspGate(GstRTSPStreamTransport* exit, GstElement* source, KeySign keySign)
    : exit_(GST_RTSP_STREAM_TRANSPORT(g_object_ref(exit))), keySign_(keySign) {
  g_weak_ref_init(&source_, source);
}

RtspGate::~RtspGate() {
  for (const Held& each : queue_) gst_mini_object_unref(each.packets);
  if (control_ != nullptr) gst_mini_object_unref(control_);
  g_weak_ref_clear(&source_);
  g_object_unref(exit_);
}

RtspGate::Held RtspGate::describe(GstMiniObject* packets) const {
  Held held;
  held.atUs = g_get_monotonic_time();
  if (GST_IS_BUFFER_LIST(packets)) {
    GstBufferList* list = GST_BUFFER_LIST(packets);
    held.bytes = gst_buffer_list_calculate_size(list);
    held.count = gst_buffer_list_length(list);
  } else {
    held.bytes = gst_buffer_get_size(GST_BUFFER(packets));
    held.count = 1;
  }
  if (GstBuffer* first = firstOf(packets); first != nullptr) held.picture = pictureOf(first, keySign_);
  return held;
}

void RtspGate::drop(const Held& held) {
  if (dropped_ != held.picture.timestamp) framesDropped_ += 1;
  dropped_ = held.picture.timestamp;
  packetsDropped_ = static_cast<guint16>(packetsDropped_ + held.count);
}

void RtspGate::shed() {
  const auto isKept = [this](const Held& each) { return begun_ == each.picture.timestamp; };
  const auto rest = std::stable_partition(queue_.begin(), queue_.end(), isKept);
  for (auto each = rest; each != queue_.end(); ++each) {
    drop(*each);
    gst_mini_object_unref(each->packets);
    waitsForKey_ = true;
  }
  queue_.erase(rest, queue_.end());
}

bool RtspGate::take(GstMiniObject* packets) {
  Held held = describe(packets);
  bool asks = false;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (isLost_) return false;
    const bool begins = latest_ != held.picture.timestamp;
    latest_ = held.picture.timestamp;
    if (begins && !queue_.empty() && held.atUs - queue_.front().atUs > longestHeldUs) shed();
    if (begins && held.picture.isKey) waitsForKey_ = false;
    if (waitsForKey_ && begun_ != held.picture.timestamp) {
      drop(held);
      asks = mustAsk();
    } else {
      held.packets = renumbered(packets, packetsDropped_);
      queue_.push_back(held);
    }
  }
  if (asks) askForKeyframe();
  pump();
  const std::lock_guard<std::mutex> hold(lock_);
  return !isLost_;
}

bool RtspGate::takeControl(GstMiniObject* packets) {
  {
    const std::lock_guard<std::mutex> hold(lock_);
    if (isLost_) return false;
    if (control_ != nullptr) gst_mini_object_unref(control_);
    control_ = gst_mini_object_ref(packets);
  }
  pump();
  return true;
}

void RtspGate::onSent() {
  bool asks = false;
  {
    const std::lock_guard<std::mutex> hold(lock_);
    isBusy_ = false;
    underWay_.reset();
    asks = mustAsk();
  }
  if (asks) askForKeyframe();
  pump();
}

/** A keyframe makes sense when there is room for it. */
bool RtspGate::mustAsk() {
  const std::int64_t now = g_get_monotonic_time();
  if (!waitsForKey_ || isBusy_ || !queue_.empty() || now - askedAtUs_ < betweenRequestsUs) return false;
  askedAtUs_ = now;
  return true;
}

void RtspGate::askForKeyframe() {
  auto* source = static_cast<GstElement*>(g_weak_ref_get(&source_));
  if (source == nullptr) return;
  requestKeyframes(source);
  gst_object_unref(source);
}

/**
 * Gives the library one thing after the other, the next when it has got rid of the last. It may say so while it is
 * still being given it, on this thread or on another: whoever is in here already goes on.
 */
void RtspGate::pump() {
  std::unique_lock<std::mutex> hold(lock_);
  if (isPumping_) return;
  isPumping_ = true;
  while (!isBusy_ && !isLost_ && (control_ != nullptr || !queue_.empty())) {
    const bool isControl = control_ != nullptr;
    GstMiniObject* packets = control_;
    if (isControl) {
      control_ = nullptr;
    } else {
      underWay_ = queue_.front();
      queue_.pop_front();
      packets = underWay_->packets;
      begun_ = underWay_->picture.timestamp;
      sentBytes_ += underWay_->bytes;
    }
    isBusy_ = true;
    hold.unlock();
    const bool isSent = send(packets, isControl);
    gst_mini_object_unref(packets);
    hold.lock();
    if (!isSent) isLost_ = true;
  }
  isPumping_ = false;
}

bool RtspGate::send(GstMiniObject* packets, bool isControl) {
  const bool isList = GST_IS_BUFFER_LIST(packets);
  const auto one = isControl ? gst_rtsp_stream_transport_send_rtcp : gst_rtsp_stream_transport_send_rtp;
  const auto many = isControl ? gst_rtsp_stream_transport_send_rtcp_list : gst_rtsp_stream_transport_send_rtp_list;
  return isList ? many(exit_, GST_BUFFER_LIST(packets)) : one(exit_, GST_BUFFER(packets));
}

GateState RtspGate::state() {
  const std::lock_guard<std::mutex> hold(lock_);
  GateState state;
  state.sentBytes = sentBytes_;
  state.framesDropped = framesDropped_;
  for (const Held& each : queue_) state.heldBytes += static_cast<std::int64_t>(each.bytes);
  if (underWay_.has_value()) state.heldBytes += static_cast<std::int64_t>(underWay_->bytes);
  const Held* oldest = underWay_.has_value() ? &*underWay_ : queue_.empty() ? nullptr : &queue_.front();
  if (oldest != nullptr) state.heldMs = static_cast<double>(g_get_monotonic_time() - oldest->atUs) / 1000;
  return state;
}

}  // namespace obscura
