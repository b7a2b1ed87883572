// Who is connected over RTSP: what is known of each connection, what its player reports, and how it is ended.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace obscura {

/** To be called once for each connection, before anything else here. */
void welcomeRtspClient(GstRTSPClient* client);

/** 0 for one that was not welcomed. */
std::uint64_t rtspClientId(GstRTSPClient* client);

/** How many sessions it has set up. */
unsigned rtspClientSessions(GstRTSPClient* client);

/** Lets go of sessions whose players have been silent for too long. */
void tidyRtspClient(GstRTSPClient* client);

/** What it plays; empty before it plays. */
std::string rtspClientPath(GstRTSPClient* client);

/** tcp, udp or multicast; empty before it has set up anything. */
std::string rtspClientTransport(GstRTSPClient* client);

/** All of it as JSON. */
std::string describeRtspClient(GstRTSPClient* client, bool isSecure);

/** Adds what was learnt of the way to it since the last time: members of a JSON list of samples. */
void takeRtspSamples(GstRTSPClient* client, std::vector<std::string>& samples);

/**
 * Leaves out whole pictures of what it gets so that the rest fits into so many bit/s, or none any more. Only over UDP, and
 * not where many share an address; others keep what they have.
 */
void limitRtspClient(GstRTSPClient* client, std::optional<std::uint64_t> bps);

/** Ends the connection and all that is sent to it, as soon as its thread has time for that. */
void hangUpRtspClient(GstRTSPClient* client);

}  // namespace obscura
