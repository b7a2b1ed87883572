// GStreamer's own warnings, which say what an error message does not: told as events `gst-log`, a few of each category.
#pragma once

namespace obscura {

/** From now on. Where somebody asks for more with GST_DEBUG, that goes where it always went, too. */
void tellGstWarnings();

}  // namespace obscura
