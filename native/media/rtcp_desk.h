// Where the RTCP of a stream's viewers comes in: what no viewer has sent is turned away before the RTP session sees it,
// the rest is read and kept with the way of the viewer whom it is from.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "rtcp.h"
#include "rtsp_path.h"

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
  /** Sits down where the RTCP of a new media will come in. */
  static void openFor(GstRTSPMedia* media);
  /** Watches what the media, which must be prepared, says of its own clock. */
  static void listenTo(GstRTSPMedia* media);
  /** Nothing where none was opened. */
  static std::shared_ptr<RtcpDesk> of(GstRTSPMedia* media);

  /** From now on the origin speaks for this way. */
  void admit(const RtcpOrigin& origin, const std::shared_ptr<RtspPath>& path);
  void dismiss(const std::shared_ptr<RtspPath>& path);

  /** Whether it is from one of the viewers. */
  bool hear(const RtcpOrigin& from, const std::uint8_t* data, std::size_t size);
  /** What was sent to all of them. */
  void noteSent(const std::uint8_t* data, std::size_t size);

 private:
  struct Admitted {
    RtcpOrigin origin;
    std::weak_ptr<RtspPath> path;
  };
  struct SentReport {
    std::uint32_t middle;
    std::int64_t atUs;
  };

  /** With the lock held. */
  std::shared_ptr<RtspPath> pathOf(const RtcpOrigin& from);
  std::optional<RoundTrip> roundTripOf(const ReceptionReport& report) const;

  std::mutex lock_;
  std::vector<Admitted> admitted_;
  std::deque<SentReport> sent_;
  std::set<std::uint32_t> ownSsrcs_;
};

}  // namespace obscura
