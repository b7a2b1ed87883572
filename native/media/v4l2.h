// The cameras of the machine, as the kernel tells them (Video4Linux): what they are, what they can do, and their controls.
// Everything here may wait for a driver that does not answer: never to be called on the thread of JavaScript.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace obscura {

/** `{path, name, driver, bus, formats, controls}` as JSON; empty where nothing there takes pictures. */
std::string describeVideoDevice(const std::string& path);

struct ControlValue {
  std::uint32_t id;
  std::int64_t value;
};

/** In this order. Of each what the device says against it, empty where it is done. */
std::vector<std::string> setVideoControls(const std::string& path, const std::vector<ControlValue>& values);

}  // namespace obscura
