// Lost packets are sent again when the viewer asks for them, but not without end: on a link that carries a part of the
// stream, each packet that is sent again takes the room of another, which is then asked for as well.
#pragma once

#include <gst/gst.h>

namespace obscura {

/** Of an rtprtxsend. */
void limitRetransmissions(GstElement* sender);

}  // namespace obscura
