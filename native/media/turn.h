// nv12turn: turns and mirrors frames while they pass.
//   nv12turn degrees=90 left-to-right=true
// `videoflip` does it as well, but copies every frame that it leaves as it is (GStreamer 1.22).
#pragma once

#include <gst/gst.h>

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerTurn();

}  // namespace obscura
