// Pipelines that somebody else made and plays, known by the name that one of our elements in them carries as `owner`.
// Their messages go to JavaScript as events, and what their maker never gives back is given back here.
#pragma once

#include <gst/gst.h>

#include <string>

namespace obscura {

constexpr const char* ownerDescription = "Name under which the messages of this pipeline are told";

/** The outermost bin that the element stands in, as a reference. */
GstElement* pipelineOf(GstElement* element);

/** The first element of a kind in the pipeline that this one stands in, as a reference; nothing where there is none. */
GstElement* findInPipeline(GstElement* element, const char* factory);

/** Takes over the messages of the pipeline that the element stands in. Nothing happens without an owner. */
void adoptPipelineOf(GstElement* element, const std::string& owner);

/** The element of this name in the pipeline, as a reference; nothing where there is none. */
GstElement* elementOf(const std::string& owner, const std::string& element);

/** Sets a property from text, as launch texts do. False where there is no such pipeline, element or property. */
bool setPipelineProperty(const std::string& owner, const std::string& element, const std::string& property,
                         const std::string& value);

/** The pipeline as `describeGraph` tells it; empty where there is none. */
std::string pipelineGraph(const std::string& owner);

/**
 * Stops the pipeline and drops the reference that its maker keeps for ever. Nobody may touch the maker's handle
 * afterwards. False where there is no such pipeline.
 */
bool releasePipeline(const std::string& owner);

}  // namespace obscura
