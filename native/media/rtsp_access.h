// Who may fetch streams over RTSP. The process that keeps the state says who; here it is only looked up.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace obscura {

/** Whom a connection was let in as, and by what; read again whenever the rights change. */
struct RtspGrant {
  enum class Kind { anonymous, password, token, session };
  Kind kind = Kind::anonymous;
  std::string user;
  /** Of a password what it was checked against, of a token its id, of a session its hash. */
  std::string proof;
};

/** All that is known of people, replaced as a whole. */
struct RtspAccess {
  struct Token {
    std::string user;
    std::string hash;
    /** Milliseconds since 1970; 0 for never. */
    std::int64_t expires = 0;
  };
  /** HA1 of Digest by account name. */
  std::map<std::string, std::string> accounts;
  /** By id. */
  std::map<std::string, Token> tokens;
  /** Account name by SHA-256 of the session's token. */
  std::map<std::string, std::string> sessions;
  bool anonymous = false;
  std::string realm = "Obscura";

  bool stillHolds(const RtspGrant& grant) const;
};

/** Slows down guessing: an address that was wrong too often is not heard for a while. */
class RtspGuessing {
 public:
  bool isKeptOut(const std::string& address);
  void wrong(const std::string& address);

 private:
  struct Attempts {
    int count = 0;
    std::int64_t since = 0;
  };
  std::mutex lock_;
  std::map<std::string, Attempts> attempts_;
};

/** The authority that a GstRTSPServer asks. One for all listeners. */
GstRTSPAuth* newRtspAuthority();

void setRtspAccess(RtspAccess access);

/** Whether the client may stay as it was let in. */
bool mayStay(GstRTSPClient* client);

/** As whom the client was let in; empty for nobody in particular. */
std::string userOf(GstRTSPClient* client);

}  // namespace obscura
