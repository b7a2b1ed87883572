// What an RTP session knows of how its packets fare.
#pragma once

#include <glib-object.h>

#include <cstdint>
#include <optional>
#include <string>

#include "json.h"

namespace obscura {

/** What the receiver that reports from this address (or any, where it is empty) has said last. */
std::optional<Json> receiverReport(GObject* session, const std::string& from);

/** Of payload, since the session began. */
std::uint64_t bytesSent(GObject* session);

}  // namespace obscura
