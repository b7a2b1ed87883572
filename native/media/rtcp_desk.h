// Where the RTCP of a stream's viewers ends: what a viewer has sent is read and kept with the way of that viewer, and
// what it asks for is done. The RTP session, which all viewers share, hears none of it, so that nobody can speak in its
// name or in that of others.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rtcp.h"
#include "rtsp_path.h"
#include "weak_object.h"

namespace obscura {

/** From where a viewer's RTCP comes, as it was settled with the viewer. */
struct RtcpOrigin {
  std::string host;
  /** 0 where the viewer may use any. */
  int port = 0;
  /** On the viewer's own connection, where nobody else can send anything. */
  bool isInterleaved = false;

  bool operator==(const RtcpOrigin& other) const {
    return host == other.host && port == other.port && isInterleaved == other.isInterleaved;
  }
};

/** One for each media. */
class RtcpDesk {
 public:
  /** Keyframes are asked for in the element that gives the pictures. */
  explicit RtcpDesk(GstElement* pictures);

  /** Sits down where the RTCP of a new media will come in. */
  static void openFor(GstRTSPMedia* media);
  /** Watches what the media, which must be prepared, says of its own clock. */
  static void listenTo(GstRTSPMedia* media);
  /** Nothing where none was opened. */
  static std::shared_ptr<RtcpDesk> of(GstRTSPMedia* media);

  /** From now on the origin speaks for this way, and keeps the session alive. */
  void admit(const RtcpOrigin& origin, const std::shared_ptr<RtspPath>& path, GstRTSPSession* session);
  void dismiss(const std::shared_ptr<RtspPath>& path);

  /** Of what is not from a viewer, or cannot be read, nothing is taken. */
  void hear(const RtcpOrigin& from, const std::uint8_t* data, std::size_t size);
  /** What was sent to all of them. */
  void noteSent(const std::uint8_t* data, std::size_t size);

 private:
  struct Admitted {
    RtcpOrigin origin;
    std::weak_ptr<RtspPath> path;
    std::shared_ptr<WeakObject<GstRTSPSession>> session;
  };
  struct SentReport {
    std::uint32_t middle;
    std::int64_t atUs;
  };

  /** With the lock held. */
  std::optional<Admitted> speakerAt(const RtcpOrigin& from) const;
  std::optional<RoundTrip> roundTripOf(const ReceptionReport& report) const;

  void askForKeyframe();

  WeakObject<GstElement> pictures_;
  std::mutex lock_;
  std::vector<Admitted> admitted_;
  std::deque<SentReport> sent_;
  std::set<std::uint32_t> ownSsrcs_;
};

}  // namespace obscura
