// Renditions: a stream in another size, rate or bitrate for whoever asks for it in the address, as in
// `/stream1?resolution=640x360&fps=15&bitrate=500`. Each has a mount and a channel of its own; what fills the channel is
// up to whoever hears of the demand for it.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <optional>
#include <string>

namespace obscura {

/** What tells a rendition from its stream in names, such as `@640x360@15@-`; empty where nothing is asked for. */
struct RenditionWish {
  std::string suffix;
};

/** Nothing where a member of the query has a value that cannot be. Members that are not about renditions do not count. */
std::optional<RenditionWish> readRendition(const gchar* query);

/** The launch text of a stream, for a rendition of it. */
std::string renditionLaunch(const std::string& launch, const std::string& suffix);

/**
 * Mount points where each connection stays with the rendition that it asked for: players name it with DESCRIBE alone.
 */
GstRTSPMountPoints* newRenditionMounts();

/** From now on this connection's requests for the path mean its rendition. */
void rememberRendition(GstRTSPClient* client, const std::string& path, const std::string& suffix);

}  // namespace obscura
