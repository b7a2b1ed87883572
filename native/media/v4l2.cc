#include "v4l2.h"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>

#include "json.h"

namespace obscura {
namespace {

/** Drivers that never come to an end of a list would keep whoever asks for ever. */
constexpr std::uint32_t mostEntries = 256;

class Device {
 public:
  explicit Device(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)), openError_(fd_ < 0 ? errno : 0) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() {
    if (fd_ >= 0) close(fd_);
  }

  bool isOpen() const { return fd_ >= 0; }
  int openError() const { return openError_; }

  /** False with the reason in `errno`. */
  template <typename Argument>
  bool ask(unsigned long request, Argument& argument) const {
    int result = 0;
    do {
      result = ioctl(fd_, request, &argument);
    } while (result == -1 && errno == EINTR);
    return result == 0;
  }

 private:
  int fd_;
  int openError_;
};

class List {
 public:
  void add(const std::string& json) { members_ += (members_.empty() ? "" : ",") + json; }
  std::string text() const { return "[" + members_ + "]"; }

 private:
  std::string members_;
};

/** Names of the kernel need not end within their field. */
template <std::size_t size>
std::string textOf(const __u8 (&field)[size]) {
  const char* begin = reinterpret_cast<const char*>(field);
  return std::string(begin, strnlen(begin, size));
}

/** As launch texts call it, or the four letters of the kernel. */
std::string formatName(std::uint32_t code) {
  switch (code) {
    case V4L2_PIX_FMT_NV12:
      return "NV12";
    case V4L2_PIX_FMT_YUV420:
      return "I420";
    case V4L2_PIX_FMT_YUYV:
      return "YUY2";
    case V4L2_PIX_FMT_MJPEG:
    case V4L2_PIX_FMT_JPEG:
      return "MJPG";
    case V4L2_PIX_FMT_H264:
      return "H264";
    default: {
      std::string letters;
      for (int shift = 0; shift < 32; shift += 8) {
        const char letter = static_cast<char>(code >> shift & 0x7f);
        if (letter > ' ' && letter < 0x7f) letters += letter;
      }
      return letters;
    }
  }
}

/** Pictures a second: two digits after the point are enough to tell 29.97 from 30. */
double rateOf(const v4l2_fract& interval) {
  return interval.numerator == 0 ? 0 : std::round(100.0 * interval.denominator / interval.numerator) / 100;
}

std::string sizeOf(const Device& device, std::uint32_t format, std::uint32_t width, std::uint32_t height) {
  std::set<double> rates;
  bool isRange = false;
  for (std::uint32_t index = 0; index < mostEntries; index += 1) {
    v4l2_frmivalenum interval{};
    interval.index = index;
    interval.pixel_format = format;
    interval.width = width;
    interval.height = height;
    if (!device.ask(VIDIOC_ENUM_FRAMEINTERVALS, interval)) break;
    if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
      isRange = true;
      rates.insert(rateOf(interval.stepwise.max));
      rates.insert(rateOf(interval.stepwise.min));
      break;
    }
    rates.insert(rateOf(interval.discrete));
  }
  List list;
  for (const double rate : rates) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", rate);
    if (rate > 0) list.add(text);
  }
  Json size;
  size.set("width", std::uint64_t{width}).set("height", std::uint64_t{height}).setRaw("rates", list.text());
  if (isRange) size.set("anyRate", true);
  return size.text();
}

std::string formatOf(const Device& device, const v4l2_fmtdesc& description) {
  const std::uint32_t format = description.pixelformat;
  List sizes;
  bool isRange = false;
  for (std::uint32_t index = 0; index < mostEntries; index += 1) {
    v4l2_frmsizeenum size{};
    size.index = index;
    size.pixel_format = format;
    if (!device.ask(VIDIOC_ENUM_FRAMESIZES, size)) break;
    if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
      isRange = true;
      sizes.add(sizeOf(device, format, size.stepwise.min_width, size.stepwise.min_height));
      sizes.add(sizeOf(device, format, size.stepwise.max_width, size.stepwise.max_height));
      break;
    }
    sizes.add(sizeOf(device, format, size.discrete.width, size.discrete.height));
  }
  Json json;
  json.set("format", formatName(format))
      .set("description", textOf(description.description))
      .setRaw("sizes", sizes.text());
  if (isRange) json.set("anySize", true);
  return json.text();
}

std::string formatsOf(const Device& device, v4l2_buf_type type) {
  List formats;
  for (std::uint32_t index = 0; index < mostEntries; index += 1) {
    v4l2_fmtdesc format{};
    format.index = index;
    format.type = type;
    if (!device.ask(VIDIOC_ENUM_FMT, format)) break;
    formats.add(formatOf(device, format));
  }
  return formats.text();
}

const char* kindOf(std::uint32_t type) {
  switch (type) {
    case V4L2_CTRL_TYPE_INTEGER:
    case V4L2_CTRL_TYPE_INTEGER64:
      return "integer";
    case V4L2_CTRL_TYPE_BOOLEAN:
      return "boolean";
    case V4L2_CTRL_TYPE_MENU:
      return "menu";
    case V4L2_CTRL_TYPE_INTEGER_MENU:
      return "integer-menu";
    default:
      return nullptr;
  }
}

std::string choicesOf(const Device& device, const v4l2_query_ext_ctrl& control) {
  List choices;
  const std::int64_t last = std::min<std::int64_t>(control.maximum, control.minimum + mostEntries);
  for (std::int64_t index = control.minimum; index <= last; index += 1) {
    v4l2_querymenu item{};
    item.id = control.id;
    item.index = static_cast<std::uint32_t>(index);
    // Devices leave out what they do not have.
    if (!device.ask(VIDIOC_QUERYMENU, item)) continue;
    Json choice;
    choice.set("value", index);
    if (control.type == V4L2_CTRL_TYPE_INTEGER_MENU) {
      const std::int64_t meaning = item.value;
      choice.set("name", std::to_string(meaning));
    } else {
      choice.set("name", textOf(item.name));
    }
    choices.add(choice.text());
  }
  return choices.text();
}

std::string controlsOf(const Device& device) {
  List controls;
  std::uint32_t last = 0;
  for (std::uint32_t count = 0; count < mostEntries; count += 1) {
    v4l2_query_ext_ctrl control{};
    control.id = last | V4L2_CTRL_FLAG_NEXT_CTRL;
    if (!device.ask(VIDIOC_QUERY_EXT_CTRL, control) || control.id <= last) break;
    last = control.id;
    const char* kind = kindOf(control.type);
    if (kind == nullptr || (control.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)) != 0) continue;
    Json json;
    json.set("id", std::uint64_t{control.id})
        .set("name", std::string(control.name, strnlen(control.name, sizeof(control.name))))
        .set("kind", kind)
        .set("minimum", static_cast<std::int64_t>(control.minimum))
        .set("maximum", static_cast<std::int64_t>(control.maximum))
        .set("step", static_cast<std::uint64_t>(control.step))
        .set("default", static_cast<std::int64_t>(control.default_value));
    if (control.type == V4L2_CTRL_TYPE_MENU || control.type == V4L2_CTRL_TYPE_INTEGER_MENU)
      json.setRaw("choices", choicesOf(device, control));
    controls.add(json.text());
  }
  return controls.text();
}

/** In words that people can act on. */
std::string refusal(int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "the device is gone";
    case EACCES:
      return "the device does not allow it now";
    case EBUSY:
      return "the device is busy";
    case ERANGE:
      return "the value is out of range";
    case EINVAL:
      return "the device does not have it, or not with this value";
    default:
      return std::strerror(error);
  }
}

}  // namespace

std::string describeVideoDevice(const std::string& path) {
  const Device device(path);
  v4l2_capability capability{};
  if (!device.isOpen() || !device.ask(VIDIOC_QUERYCAP, capability)) return "";
  // A camera has several nodes, of which some hold nothing but facts about the pictures of another.
  const std::uint32_t abilities = (capability.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps
                                                                                        : capability.capabilities;
  // Encoders and scalers take pictures from memory, not from the world.
  if ((abilities & (V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE)) != 0) return "";
  const bool isPlanar = (abilities & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0;
  if (!isPlanar && (abilities & V4L2_CAP_VIDEO_CAPTURE) == 0) return "";
  return Json()
      .set("path", path)
      .set("name", textOf(capability.card))
      .set("driver", textOf(capability.driver))
      .set("bus", textOf(capability.bus_info))
      .setRaw("formats",
              formatsOf(device, isPlanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE))
      .setRaw("controls", controlsOf(device))
      .text();
}

std::vector<std::string> setVideoControls(const std::string& path, const std::vector<ControlValue>& values) {
  std::vector<std::string> refusals;
  const Device device(path);
  for (const auto& [id, value] : values) {
    if (!device.isOpen()) {
      refusals.push_back(refusal(device.openError()));
      continue;
    }
    // One by one: an automatic that is switched off first sets free what follows.
    v4l2_ext_control control{};
    control.id = id;
    control.value = static_cast<std::int32_t>(value);
    v4l2_ext_controls controls{};
    controls.which = V4L2_CTRL_WHICH_CUR_VAL;
    controls.count = 1;
    controls.controls = &control;
    bool isDone = device.ask(VIDIOC_S_EXT_CTRLS, controls);
    if (!isDone && errno == ENOTTY) {
      v4l2_control old{};
      old.id = id;
      old.value = static_cast<std::int32_t>(value);
      isDone = device.ask(VIDIOC_S_CTRL, old);
    }
    refusals.push_back(isDone ? "" : refusal(errno));
  }
  return refusals;
}

}  // namespace obscura
