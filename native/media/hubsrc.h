// hubsrc: the beginning of a pipeline that takes its frames from a channel of the hub.
//   hubsrc channel=stream1 max-queue=300
//   hubsrc channel=raw/primary max-queue=2 max-rate=30 timing=taken patience=100
//   hubsrc channel=raw/primary max-queue=2 max-rate=30
//   hubsrc channel=raw/primary max-queue=1 every=10
// Another channel may be set while it runs: from the next keyframe there on its units come, with times that go on, and
// an event `moved` says so. Until then those of the old one do.
#pragma once

#include <gst/gst.h>

#include <optional>

#include "channel.h"

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerHubSrc();

struct GivenFrame {
  Times times;
  /** Counts what has left. */
  std::uint64_t serial;
};

/** The frame that left this hubsrc with that time; nothing where it is no hubsrc, or too long ago. */
std::optional<GivenFrame> frameGiven(GstElement* element, GstClockTime presented);

/** Asks for a keyframe wherever the element, or one inside of it, reads from the hub. */
void requestKeyframes(GstElement* element);

/**
 * Whether somebody gets what is read there. What is dropped before a viewer has come, because nothing takes it yet, is no
 * loss to anybody.
 */
void setWatched(GstElement* element, bool isWatched);

}  // namespace obscura
