// Stands before the element that sends a stream to all its viewers over UDP. A viewer whose way is too narrow is taken out
// of that element at the end of a picture and sent to from here, over the same socket, without the pictures that do not
// fit. It stays here when its way is well again, because going back would look like loss to its player.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "thin_stream.h"

namespace obscura {

/** Its members may be called from any thread. */
class UdpShedder {
 public:
  /** An address that packets are sent to, and its port. */
  using Destination = std::pair<std::string, int>;

  /** That of this multiudpsink, made when it is asked for first: nothing stands in the way where nobody is limited. */
  static std::shared_ptr<UdpShedder> before(GstElement* sink);
  /** Nothing where none was made. */
  static std::shared_ptr<UdpShedder> of(GstElement* sink);

  /** bit/s to a viewer that the sink sends to; nothing where it may have everything. */
  void limit(const Destination& to, std::optional<std::uint64_t> bps);
  /** Nothing of a viewer that the sink itself sends to. */
  std::optional<ThinState> stateOf(const Destination& to);

  /** What the sink is about to send. */
  void take(GstElement* sink, GstMiniObject* packets);
  /** The viewer has left; whether it was sent to from here. */
  bool forget(const Destination& to);

 private:
  /** With the lock held. */
  void takeOver(GstElement* sink, std::uint16_t number);

  std::mutex lock_;
  KeySign keySign_ = KeySign::flag;
  std::optional<std::uint32_t> latest_;
  /** Those who are to be taken out of the sink when the next picture begins. */
  std::map<Destination, std::uint64_t> awaited_;
  std::map<Destination, std::unique_ptr<ThinStream>> thinned_;
};

/** What the sink has sent to a viewer of its own; nothing where it has no such viewer. */
std::optional<std::uint64_t> bytesSentBy(GstElement* sink, const std::string& host, int port);

}  // namespace obscura
