// How often one viewer may have a keyframe, which costs everybody who watches the same stream.
#pragma once

#include <algorithm>
#include <cstdint>

namespace obscura {

/** Three at once, and one more each second: of whoever loses so much that this is too little, more would help nobody. */
class KeyframeBudget {
 public:
  /** Whether it may have one now. */
  bool spend(std::int64_t nowUs) {
    if (spentAtUs_ != 0) left_ = std::min(most, left_ + static_cast<double>(nowUs - spentAtUs_) / betweenUs);
    spentAtUs_ = nowUs;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  static constexpr double most = 3;
  static constexpr double betweenUs = 1'000'000;

  double left_ = most;
  /** When it was asked last; 0 before the first time. */
  std::int64_t spentAtUs_ = 0;
};

}  // namespace obscura
