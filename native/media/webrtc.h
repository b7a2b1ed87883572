// WebRTC sessions: one browser each, fed from a channel of the hub or feeding one. A session is opened with the browser's offer, tells
// its description and its state as events, and is gone after it has been closed.
#pragma once

#include <string>
#include <vector>

namespace obscura {

struct WebRtcOffer {
  /** Name of the session, chosen by the caller. */
  std::string session;
  /** The browser's offer; empty where the server is to offer, and the browser to answer. */
  std::string sdp;
  std::string channel;
  /** The browser sends, and the channel is filled. */
  bool receives = false;
  /** `application/x-rtp`, with the payload type and the extensions that the offer has. */
  std::string caps;
  /** Describe at once and tell candidates as they come; otherwise the description has them all. */
  bool trickle = false;
  /** stun://host:port; empty for none. */
  std::string stunServer;
  /** turn://user:password@host:port */
  std::vector<std::string> turnServers;
};

/** Throws std::runtime_error where the session cannot begin. */
void openWebRtc(const WebRtcOffer& offer);

/** The browser's answer to the server's offer. False where there is no such session; throws where it cannot be read. */
bool answerWebRtc(const std::string& session, const std::string& sdp);

/** A candidate of the browser. False where there is no such session. */
bool addWebRtcCandidate(const std::string& session, unsigned line, const std::string& candidate);

/** What was sent, and what the browser said last of it, as JSON; an empty object where there is no such session. */
std::string webRtcStatistics(const std::string& session);

/** What was learnt of the way to the browser since the last time: a list of JSON, without whose way it is. */
std::string webRtcSamples(const std::string& session);

/** Milliseconds since the browser last sent a report; negative before the first. */
double webRtcSilence(const std::string& session);

/** False where there is no such session. */
bool closeWebRtc(const std::string& session);

}  // namespace obscura
