// The RTSP server: listens where it is told, plain and with TLS, and gives each mount's launch text to its viewers,
// who share one pipeline per mount. Runs on a thread of its own.
#pragma once

#include <cstdint>
#include <optional>
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

/** More than these are turned away when they set up; those who are there stay. */
void limitRtspSessions(unsigned most);

struct RtspMulticast {
  std::string address;
  int port;
  int ttl;
  /** Of the network; empty for what the system's routes say. */
  std::string interface;

  bool operator==(const RtspMulticast& other) const {
    return address == other.address && port == other.port && ttl == other.ttl && interface == other.interface;
  }
};

/** Offers the streams to many at once, or no longer. Throws std::runtime_error where the address is not fit for it. */
void setRtspMulticast(const std::optional<RtspMulticast>& wish);

/** Ends the connections of all who may not stay. */
void enforceRtspAccess();

/** How long the loop of the server takes to answer, in milliseconds. */
double rtspLoopLag();

/** A JSON list of who is connected. */
std::string rtspClients();

/** What was learnt of the ways to them since the last time, as a JSON list of samples; empty where it is nothing. */
std::string rtspSamples();

/** Limits what one client gets over UDP to so many bit/s, or no longer; false where there is no such client. */
bool limitRtspClient(std::uint64_t id, std::optional<std::uint64_t> bps);

/** False where there is no such client. */
bool kickRtspClient(std::uint64_t id);

}  // namespace obscura
