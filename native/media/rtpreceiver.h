// rtpreceiver: takes a stream that a camera sends as plain RTP, and tells the camera every second that somebody does
// (RTCP receiver reports and REMB): some stop after half a minute without.
//   rtpreceiver port=5006 ! rtptimes ! parsebin ! hubsink channel=coded/primary
// Without a description (SDP) it is H.264. Reports come on the next port, or on the same where the description says so.
#pragma once

namespace obscura {

/** Makes the element known to the launch texts of this process. */
bool registerRtpReceiver();

}  // namespace obscura
