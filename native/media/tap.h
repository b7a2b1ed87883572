// Taps: JavaScript as a reader of channels. Of each, the newest unit waits until it is asked for, and none before it.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <cstdint>
#include <optional>
#include <string>

#include "channel.h"

namespace obscura {

/** A unit on its way to JavaScript, with its bytes readable for as long as this lives. */
class TappedUnit {
 public:
  /** `sequence` counts all units of the channel, also those that nobody has asked for. */
  TappedUnit(UnitPtr unit, std::uint64_t sequence);
  ~TappedUnit();
  TappedUnit(TappedUnit&& other) noexcept;
  TappedUnit(const TappedUnit&) = delete;
  TappedUnit& operator=(const TappedUnit&) = delete;

  std::size_t size() const;
  /** Raw pictures leave without the padding that lines may have in memory. */
  void copyTo(std::uint8_t* target) const;
  int width() const { return width_; }
  int height() const { return height_; }
  /** Microseconds since 1970. */
  std::int64_t capturedAt() const;
  /** Microseconds on the clock of `Channel::liveSince`. */
  std::int64_t capturedTicks() const;
  std::uint64_t sequence() const { return sequence_; }

 private:
  std::size_t lineSize() const;

  UnitPtr unit_;
  std::uint64_t sequence_;
  GstBuffer* buffer_;
  bool isRaw_ = false;
  GstVideoInfo info_{};
  int width_ = 0;
  int height_ = 0;
};

// All of these are for the thread of JavaScript alone.

/** From now on there is an event `picture` whenever a unit waits where none did. */
void openTap(const std::string& channel);
/** Nothing happens where there is none. */
void closeTap(const std::string& channel);
/** Nothing where none has come since the last time, or there is no tap. */
std::optional<TappedUnit> takeFromTap(const std::string& channel);

}  // namespace obscura
