// nv12zoom: shows a part of each frame in the size of the whole.
//   nv12zoom region="0.25 0.25 0.5 0.5"
#pragma once

#include <gst/gst.h>

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerZoom();

}  // namespace obscura
