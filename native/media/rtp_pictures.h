// What the packets of a stream tell of the pictures that they make, without being looked into further than needed.
#pragma once

#include <gst/gst.h>

#include <cstdint>

namespace obscura {

/** How a packet shows that a keyframe begins with it. */
enum class KeySign { flag, hevc };

/** By the caps of the packets; they may be missing. */
KeySign keySignOf(const GstCaps* caps);

struct RtpPicture {
  /** The same in all packets of a picture. */
  std::uint32_t timestamp = 0;
  /** Whether a keyframe begins with this packet. */
  bool isKey = false;
};

RtpPicture pictureOf(GstBuffer* packet, KeySign sign);

/** Where the number of a packet stands, in two bytes. */
constexpr gsize rtpSequenceAt = 2;

/** The first of them, and nothing of an empty list. */
GstBuffer* firstOf(GstMiniObject* packets);

}  // namespace obscura
