// hubsink: the end of a pipeline that puts its frames into a channel of the hub.
//   hubsink channel=stream1
#pragma once

#include <gst/gst.h>

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerHubSink();

}  // namespace obscura
