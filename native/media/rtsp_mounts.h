// What can be played over RTSP: the streams by their paths, renditions of them, and whether many may share one.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "rtsp_server.h"

namespace obscura {

class RtspMounts {
 public:
  RtspMounts();

  GstRTSPMountPoints* points() const { return points_; }

  /** These and no others; answers with the paths whose viewers have to go. */
  std::vector<std::string> exchange(const std::vector<RtspMount>& wanted);

  /** Whether it is another now. Throws std::runtime_error where it cannot be. */
  bool exchangeMulticast(const std::optional<RtspMulticast>& wish);

  /** Sees to it that the stream is there as it was asked for, or says why it cannot be had. */
  GstRTSPStatusCode prepareToDescribe(GstRTSPContext* context);
  /** To be told when the answer is on its way. */
  static void finishDescribing(GstRTSPClient* client);

 private:
  GstRTSPMediaFactory* factoryAt(const std::string& path);
  void mount(const std::string& path, const std::string& launch);
  /** False where there are too many already. Shared by all who ask for the same; gone when nobody plays it. */
  bool addRendition(const std::string& path, const std::string& suffix);
  bool isPlayed(const std::string& path);
  template <typename Predicate>
  void removeRenditions(Predicate mustGo);
  /** Also to those who come to a stream that is playing. */
  void offerMulticast(GstRTSPMediaFactory* factory);
  void offerMulticastToAll();

  GstRTSPMountPoints* points_;
  /** Of what follows: viewers add to it from threads of their own. */
  std::mutex lock_;
  std::map<std::string, std::string> launches_;
  /** With the time since when. */
  std::map<std::string, std::int64_t> renditions_;
  std::optional<RtspMulticast> multicast_;
  GstRTSPAddressPool* addresses_ = nullptr;
};

}  // namespace obscura
