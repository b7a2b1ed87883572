// The RTSP server: listens where it is told, plain and with TLS, and gives each mount's launch text to its viewers,
// who share one pipeline per mount. Runs on a thread of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace obscura {

struct RtspMount {
  std::string path;
  /** A bin as text, with a payloader named pay0. */
  std::string launch;
};

/**
 * Listens at the port; 0 stops, as it does for viewers who are connected already. What cannot be listened on leaves
 * everything as it was and throws std::runtime_error.
 */
void listenForRtsp(const std::string& address, int port);

/** The same with TLS, for which certificate and key are given in PEM. */
void listenForRtsps(const std::string& address, int port, const std::string& certificate, const std::string& key);

/** These and no others. Viewers of a mount whose text has changed or that is gone are let go. */
void setRtspMounts(const std::vector<RtspMount>& mounts);

/** Ends the connections of all who may not stay. */
void enforceRtspAccess();

/** A JSON list of who is connected. */
std::string rtspClients();

/** False where there is no such client. */
bool kickRtspClient(std::uint64_t id);

}  // namespace obscura
