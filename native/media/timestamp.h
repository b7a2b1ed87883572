// nv12timestamp: writes the time at which a frame was captured into the frame itself, in place.
//   nv12timestamp position=top-left size=24 time-zone=Europe/Berlin block=8
// The text is for people. The block is for programs: 64 cells in a row, white for 1, most significant bit first; 52 bits
// of microseconds since 1970 and 12 bits that tell a block from a picture that happens to look like one.
#pragma once

#include <gst/gst.h>

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerTimestamp();

}  // namespace obscura
