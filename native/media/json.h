// Writes the small JSON objects that the media side tells JavaScript.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace obscura {

class Json {
 public:
  Json& set(std::string_view key, std::string_view value) { return add(key, quoted(value)); }
  Json& set(std::string_view key, const char* value) {
    return add(key, value == nullptr ? "null" : quoted(value));
  }
  Json& set(std::string_view key, bool value) { return add(key, value ? "true" : "false"); }
  Json& set(std::string_view key, double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.6g", value);
    return add(key, text);
  }
  Json& set(std::string_view key, std::uint64_t value) { return add(key, std::to_string(value)); }
  Json& set(std::string_view key, std::int64_t value) { return add(key, std::to_string(value)); }
  Json& set(std::string_view key, int value) { return add(key, std::to_string(value)); }
  /** JSON text as it is: a list, or another object. */
  Json& setRaw(std::string_view key, std::string_view json) { return add(key, json); }

  std::string text() const { return "{" + members_ + "}"; }

  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      const auto code = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (code < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof(escape), "\\u%04x", code);
        out += escape;
      } else {
        out += c;
      }
    }
    return out + "\"";
  }

 private:
  Json& add(std::string_view key, std::string_view value) {
    if (!members_.empty()) members_ += ',';
    members_ += quoted(key);
    members_ += ':';
    members_ += value;
    return *this;
  }

  std::string members_;
};

}  // namespace obscura
