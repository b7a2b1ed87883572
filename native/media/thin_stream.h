// The stream to one viewer over UDP whose way carries less than the stream: of each keyframe and what follows it, as many
// whole pictures as fit into a given rate, evenly spread in time, and numbered without a gap.
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "rtp_pictures.h"

namespace obscura {

struct ThinState {
  /** To this viewer, with what it got before its stream was thinned. */
  std::uint64_t sentBytes = 0;
  std::uint64_t framesDropped = 0;
};

/** Its members are called by one thread at a time. */
class ThinStream {
 public:
  /** Nothing where the address cannot be sent to from these sockets; each may be missing. */
  static std::unique_ptr<ThinStream> to(const char* host, int port, GSocket* socket, GSocket* socketV6);

  ThinStream(GSocket* socket, GSocketAddress* address);
  ~ThinStream();
  ThinStream(const ThinStream&) = delete;
  ThinStream& operator=(const ThinStream&) = delete;

  /** The number of the first packet that it will send, and how many bytes the viewer has got already. */
  void begin(std::uint16_t number, std::uint64_t sentBytes);
  /** bit/s; nothing lets every picture pass. */
  void limit(std::optional<std::uint64_t> bps);
  /** A packet or several of a picture; also the moment to send what has waited. */
  void take(GstMiniObject* packets, const RtpPicture& picture);

  ThinState state() const { return {sentBytes_, framesDropped_}; }

 private:
  struct Waiting {
    GstBuffer* packet;
    gsize bytes;
    std::uint32_t timestamp;
  };

  bool waitsTooLong() const;
  /** What has not been begun and would come too late. */
  void shed();
  void keep(GstBuffer* packet, std::uint32_t timestamp);
  /** With how many bytes have just come. */
  void pump(std::uint64_t came);
  void sendFirst();

  GSocket* socket_;
  GSocketAddress* address_;
  std::optional<std::uint64_t> bps_;
  std::deque<Waiting> queue_;
  std::uint64_t queuedBytes_ = 0;
  /** Bytes that may be sent now. */
  double credit_ = 0;
  std::int64_t pumpedAtUs_ = 0;
  std::optional<std::uint32_t> latest_;
  /** The picture of which something was sent last. */
  std::optional<std::uint32_t> begun_;
  bool waitsForKey_ = false;
  std::uint16_t number_ = 0;
  std::uint64_t sentBytes_ = 0;
  std::uint64_t framesDropped_ = 0;
  /** Kept from packet to packet. */
  std::vector<std::uint8_t> copy_;
};

}  // namespace obscura
