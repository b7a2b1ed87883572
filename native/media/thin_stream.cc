#include "thin_stream.h"

#include <algorithm>

namespace obscura {
namespace {

/** A keyframe is many times as large as what the way carries in the time of a picture. */
constexpr double longestWaitSeconds = 1;
/** What may be sent at once after nothing was. */
constexpr double burstSeconds = 0.05;
constexpr double bitsPerByte = 8;

}  // namespace

std::unique_ptr<ThinStream> ThinStream::to(const char* host, int port, GSocket* socket, GSocket* socketV6) {
  GInetAddress* address = g_inet_address_new_from_string(host);
  if (address == nullptr) return nullptr;
  const bool isV6 = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
  GSocket* fitting = (isV6 && socketV6 != nullptr) || socket == nullptr ? socketV6 : socket;
  std::unique_ptr<ThinStream> made;
  if (fitting != nullptr)
    made = std::make_unique<ThinStream>(fitting, g_inet_socket_address_new(address, static_cast<guint16>(port)));
  g_object_unref(address);
  return made;
}

ThinStream::ThinStream(GSocket* socket, GSocketAddress* address)
    : socket_(G_SOCKET(g_object_ref(socket))), address_(address) {}

ThinStream::~ThinStream() {
  for (const Waiting& each : queue_) gst_buffer_unref(each.packet);
  g_object_unref(socket_);
  g_object_unref(address_);
}

void ThinStream::begin(std::uint16_t number, std::uint64_t sentBytes) {
  number_ = number;
  sentBytes_ = sentBytes;
  pumpedAtUs_ = g_get_monotonic_time();
}

void ThinStream::limit(std::optional<std::uint64_t> bps) {
  bps_ = bps;
  shed();
}

bool ThinStream::waitsTooLong() const {
  return bps_.has_value() &&
         static_cast<double>(queuedBytes_) * bitsPerByte > static_cast<double>(*bps_) * longestWaitSeconds;
}

void ThinStream::shed() {
  while (waitsTooLong() && !queue_.empty() && begun_ != queue_.back().timestamp) {
    const std::uint32_t timestamp = queue_.back().timestamp;
    while (!queue_.empty() && queue_.back().timestamp == timestamp) {
      queuedBytes_ -= queue_.back().bytes;
      gst_buffer_unref(queue_.back().packet);
      queue_.pop_back();
    }
    framesDropped_ += 1;
    waitsForKey_ = true;
  }
}

void ThinStream::take(GstMiniObject* packets, const RtpPicture& picture) {
  if (latest_ != picture.timestamp) {
    latest_ = picture.timestamp;
    if (picture.isKey) waitsForKey_ = false;
    if (waitsTooLong()) waitsForKey_ = true;
    if (waitsForKey_) framesDropped_ += 1;
  }
  const bool isKept = !waitsForKey_;
  const std::uint64_t before = queuedBytes_;
  if (isKept && GST_IS_BUFFER_LIST(packets)) {
    GstBufferList* list = GST_BUFFER_LIST(packets);
    for (guint index = 0; index < gst_buffer_list_length(list); index += 1)
      keep(gst_buffer_list_get(list, index), picture.timestamp);
  } else if (isKept) {
    keep(GST_BUFFER(packets), picture.timestamp);
  }
  pump(queuedBytes_ - before);
}

void ThinStream::keep(GstBuffer* packet, std::uint32_t timestamp) {
  const gsize bytes = gst_buffer_get_size(packet);
  queue_.push_back({gst_buffer_ref(packet), bytes, timestamp});
  queuedBytes_ += bytes;
}

/**
 * The stream itself is the clock: with every picture that comes, what has become due is sent. Where a keyframe left in one
 * go, a narrow way would lose half of it.
 */
void ThinStream::pump(std::uint64_t came) {
  const std::int64_t now = g_get_monotonic_time();
  const double elapsed = static_cast<double>(now - pumpedAtUs_) / G_USEC_PER_SEC;
  pumpedAtUs_ = now;
  if (!bps_.has_value()) {
    // What still waits goes along bit by bit.
    credit_ = 2 * static_cast<double>(came);
    while (!queue_.empty() && credit_ > 0) sendFirst();
    credit_ = 0;
    return;
  }
  const double bytesPerSecond = static_cast<double>(*bps_) / bitsPerByte;
  credit_ += bytesPerSecond * std::min(elapsed, longestWaitSeconds);
  while (!queue_.empty() && credit_ > 0) sendFirst();
  if (queue_.empty()) credit_ = std::min(credit_, bytesPerSecond * burstSeconds);
}

void ThinStream::sendFirst() {
  const Waiting first = queue_.front();
  queue_.pop_front();
  queuedBytes_ -= first.bytes;
  credit_ -= static_cast<double>(first.bytes);
  begun_ = first.timestamp;
  copy_.resize(first.bytes);
  gst_buffer_extract(first.packet, 0, copy_.data(), copy_.size());
  gst_buffer_unref(first.packet);
  if (copy_.size() < rtpSequenceAt + 2) return;
  // What is left out must not look lost.
  GST_WRITE_UINT16_BE(copy_.data() + rtpSequenceAt, number_);
  number_ = static_cast<std::uint16_t>(number_ + 1);
  sentBytes_ += copy_.size();
  // What cannot be sent is lost, as it may be anywhere on the way.
  g_socket_send_to(socket_, address_, reinterpret_cast<const gchar*>(copy_.data()), copy_.size(), nullptr, nullptr);
}

}  // namespace obscura
