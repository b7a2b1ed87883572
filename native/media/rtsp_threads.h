// The threads that serve connections over RTSP, and which of them serves whom. A connection of the library's is for one
// thread alone: whoever closes it from another takes away what that thread is reading from.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

namespace obscura {

/** A pool of so many threads. */
GstRTSPThreadPool* newRtspThreads(int most);

/** Soon, on the thread of this client, before it hears what the client says next. */
void onThreadOf(GstRTSPClient* client, void (*act)(GstRTSPClient* client));

}  // namespace obscura
