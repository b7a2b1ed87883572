// How well pictures that are shown together belong together in time: watched where a compositor takes one of each.
#pragma once

#include <string>

namespace obscura {

/**
 * Of the compositor `mix` of this pipeline, since the last time it was asked: an object. Watching begins with the first
 * question. Empty where there is no such pipeline.
 */
std::string alignmentReport(const std::string& owner);

}  // namespace obscura
