#include "tap.h"

#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "events.h"

namespace obscura {
namespace {

class Tap final : public Consumer {
 public:
  explicit Tap(const std::string& name) : name_(name), channel_(Channel::named(name)) { channel_->attach(this); }
  ~Tap() override { channel_->detach(this); }

  void offer(const UnitPtr& unit) override {
    bool isFirst = false;
    {
      const std::lock_guard<std::mutex> hold(lock_);
      sequence_ += 1;
      isFirst = newest_ == nullptr;
      if (!isFirst) dropped_ += 1;
      newest_ = unit;
    }
    // Told once: whoever comes for it gets the newest.
    if (isFirst) tell(Json().set("event", "picture").set("channel", name_));
  }

  std::uint64_t dropped() const override {
    const std::lock_guard<std::mutex> hold(lock_);
    return dropped_;
  }

  std::size_t mostReplayed() const override { return std::numeric_limits<std::size_t>::max(); }

  std::optional<TappedUnit> take() {
    const std::lock_guard<std::mutex> hold(lock_);
    if (newest_ == nullptr) return std::nullopt;
    return TappedUnit(std::exchange(newest_, nullptr), sequence_);
  }

 private:
  const std::string name_;
  const std::shared_ptr<Channel> channel_;
  mutable std::mutex lock_;
  UnitPtr newest_;
  std::uint64_t sequence_ = 0;
  std::uint64_t dropped_ = 0;
};

std::map<std::string, std::unique_ptr<Tap>>& taps() {
  static std::map<std::string, std::unique_ptr<Tap>> all;
  return all;
}

}  // namespace

TappedUnit::TappedUnit(UnitPtr unit, std::uint64_t sequence)
    : unit_(std::move(unit)), sequence_(sequence), buffer_(unit_->share()) {
  const GstStructure* form = gst_caps_get_structure(unit_->caps(), 0);
  gst_structure_get_int(form, "width", &width_);
  gst_structure_get_int(form, "height", &height_);
  isRaw_ = gst_structure_has_name(form, "video/x-raw") && gst_video_info_from_caps(&info_, unit_->caps()) == TRUE &&
           GST_VIDEO_INFO_N_PLANES(&info_) == 1;
}

TappedUnit::TappedUnit(TappedUnit&& other) noexcept
    : unit_(std::move(other.unit_)),
      sequence_(other.sequence_),
      buffer_(std::exchange(other.buffer_, nullptr)),
      isRaw_(other.isRaw_),
      info_(other.info_),
      width_(other.width_),
      height_(other.height_) {}

TappedUnit::~TappedUnit() {
  if (buffer_ != nullptr) gst_buffer_unref(buffer_);
}

std::size_t TappedUnit::lineSize() const {
  return static_cast<std::size_t>(width_) * static_cast<std::size_t>(GST_VIDEO_INFO_COMP_PSTRIDE(&info_, 0));
}

std::size_t TappedUnit::size() const {
  return isRaw_ ? lineSize() * static_cast<std::size_t>(height_) : gst_buffer_get_size(buffer_);
}

void TappedUnit::copyTo(std::uint8_t* target) const {
  GstVideoFrame frame;
  if (!isRaw_) {
    gst_buffer_extract(buffer_, 0, target, gst_buffer_get_size(buffer_));
  } else if (gst_video_frame_map(&frame, &info_, buffer_, GST_MAP_READ) == TRUE) {
    const auto* line = static_cast<const std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0));
    for (int y = 0; y < height_; y += 1) {
      std::memcpy(target + static_cast<std::size_t>(y) * lineSize(), line, lineSize());
      line += GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
    }
    gst_video_frame_unmap(&frame);
  } else {
    std::memset(target, 0, size());
  }
}

std::int64_t TappedUnit::capturedTicks() const { return static_cast<std::int64_t>(unit_->times.captured / GST_USECOND); }

std::int64_t TappedUnit::capturedAt() const {
  return g_get_real_time() - (g_get_monotonic_time() - capturedTicks());
}

void openTap(const std::string& channel) {
  auto& tap = taps()[channel];
  if (tap == nullptr) tap = std::make_unique<Tap>(channel);
}

void closeTap(const std::string& channel) { taps().erase(channel); }

std::optional<TappedUnit> takeFromTap(const std::string& channel) {
  const auto found = taps().find(channel);
  if (found == taps().end()) return std::nullopt;
  return found->second->take();
}

}  // namespace obscura
