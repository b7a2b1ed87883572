// What stands in a pipeline and how it is joined, as JSON for those who draw it.
#pragma once

#include <gst/gst.h>

#include <string>

namespace obscura {

/**
 * `{dot, elements, links}`: the graph in the language of DOT, and the same as lists. Bins within the pipeline are
 * flattened: their elements carry the name of the bin as `group`, and links go from element to element. Links name
 * elements by their index, because names are unique only within a bin.
 */
std::string describeGraph(GstBin* pipeline);

}  // namespace obscura
