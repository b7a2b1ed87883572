// h264packets: access units of H.264 (byte-stream) as RTP, all packets of a unit in one list, each in one piece. For
// sessions with a packet stream of their own: rtph264pay makes several small pieces of each packet, and handling those
// costs every element after it more than sending costs.
//   h264packets caps="application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96"
#pragma once

#include <gst/gst.h>

#include <cstdint>

#include "packet_trains.h"

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerH264Packets();

/** How the packets of an element of this kind have fared; as long as it is. */
PacketTrains& trainsOf(GstElement* element);

/** By which its packets are known. */
std::uint32_t ssrcOf(GstElement* element);

}  // namespace obscura
