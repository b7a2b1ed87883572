// The one way from GStreamer's threads to JavaScript: small JSON texts, in order, never waiting.
#pragma once

#include "json.h"

namespace Napi {
class Function;
}

namespace obscura {

/** Calls the function with every event from now on, on the thread of JavaScript. */
void listen(const Napi::Function& listener);

/** Goes nowhere as long as nobody listens. */
void tell(const Json& event);

}  // namespace obscura
