// rtptimes: gives the frames of a network camera evenly spaced times, as its clock has them, and finds out from its
// reports (RTCP sender reports) when by the clock on the wall they were taken.
//   rtspsrc ... ! rtptimes ! parsebin ! hubsink channel=coded/primary
#pragma once

#include <gst/gst.h>

#include <optional>

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerRtpTimes();

/** The one in the same pipeline, as a reference; nothing where there is none. */
GstElement* findRtpTimes(GstElement* element);

/**
 * What is to be added to the time by which a frame flows for the time at which it was taken. Nothing before the first
 * report, and where the clock of the camera is so far off that it says nothing.
 */
std::optional<GstClockTimeDiff> rtpTimesOffset(GstElement* element);

}  // namespace obscura
