// Stands between a stream and one viewer who gets it over the connection of RTSP. The library would keep ten seconds for
// a viewer who does not take them, hold up all others where that viewer is alone on its way, and then send nothing more
// for ever. The gate takes everything at once, keeps half a second, and sheds whole pictures beyond that: what is sent
// afterwards begins with a keyframe.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "rtp_pictures.h"

namespace obscura {

struct GateState {
  /** Given to the library, which lets go of it when the system has taken it. */
  std::uint64_t sentBytes = 0;
  /** Kept here or in the library. */
  std::int64_t heldBytes = 0;
  /** Of the oldest that is kept. */
  double heldMs = 0;
  std::uint64_t framesDropped = 0;
};

class RtspGate {
 public:
  /**
   * Puts a gate in the place of the way that was just set up for the stream. Nothing where that cannot be done: then
   * the library does as it does.
   */
  static std::shared_ptr<RtspGate> putBefore(GstRTSPSessionMedia* sessionMedia, GstRTSPStream* stream);

  RtspGate(GstRTSPStreamTransport* exit, GstElement* source, KeySign keySign);
  ~RtspGate();
  RtspGate(const RtspGate&) = delete;
  RtspGate& operator=(const RtspGate&) = delete;

  /** A packet or several of a picture; false where the connection is lost. */
  bool take(GstMiniObject* packets);
  /** Reports of ours: the newest is enough. */
  bool takeControl(GstMiniObject* packets);
  /** The library has got rid of what it was given. */
  void onSent();

  GateState state();

 private:
  struct Held {
    GstMiniObject* packets = nullptr;
    std::uint64_t bytes = 0;
    unsigned count = 0;
    RtpPicture picture;
    std::int64_t atUs = 0;
  };

  Held describe(GstMiniObject* packets) const;
  /** With the lock held, all that follow. */
  void shed();
  void drop(const Held& held);
  bool mustAsk();

  void pump();
  bool send(GstMiniObject* packets, bool isControl);
  void askForKeyframe();

  /** The library's own, which sends. */
  GstRTSPStreamTransport* const exit_;
  GWeakRef source_;
  const KeySign keySign_;
  std::mutex lock_;
  std::deque<Held> queue_;
  GstMiniObject* control_ = nullptr;
  /** What the library has not got rid of yet; its packets belong to the library. */
  std::optional<Held> underWay_;
  /** The picture that was begun last: it is finished, whatever becomes of others. */
  std::optional<std::uint32_t> begun_;
  std::optional<std::uint32_t> latest_;
  std::optional<std::uint32_t> dropped_;
  bool isBusy_ = false;
  bool isPumping_ = false;
  bool isLost_ = false;
  bool waitsForKey_ = false;
  std::int64_t askedAtUs_ = 0;
  std::uint64_t sentBytes_ = 0;
  std::uint64_t framesDropped_ = 0;
  /** As their numbers count, in 16 bits. */
  std::uint16_t packetsDropped_ = 0;
};

}  // namespace obscura
