#include "timestamp.h"

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace obscura {
namespace {

constexpr int glyphWidth = 5;
constexpr int glyphHeight = 7;
/** From the edge of the picture, in cells of a glyph. */
constexpr int margin = 2;
constexpr guint8 black = 16;
constexpr guint8 white = 235;
constexpr guint8 grey = 128;
constexpr int blockBits = 64;
constexpr int timeBits = 52;
/** The block's place, in its own cells. */
constexpr int blockMargin = 2;

struct Glyph {
  char character;
  /** Rows from the top, the leftmost pixel in the fifth bit. */
  std::array<std::uint8_t, glyphHeight> rows;
};

/** Small letters are written large. */
constexpr std::array<Glyph, 46> font{{
    {'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}}, {'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}}, {'3', {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e}},
    {'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}}, {'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
    {'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}}, {'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}}, {'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
    {'A', {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}}, {'B', {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e}},
    {'C', {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}}, {'D', {0x1c, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1c}},
    {'E', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}}, {'F', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10}},
    {'G', {0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f}}, {'H', {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
    {'I', {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}}, {'J', {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c}},
    {'K', {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}}, {'L', {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f}},
    {'M', {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}}, {'N', {0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11}},
    {'O', {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}}, {'P', {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}},
    {'Q', {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d}}, {'R', {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}},
    {'S', {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}}, {'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
    {'U', {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}}, {'V', {0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04}},
    {'W', {0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a}}, {'X', {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}},
    {'Y', {0x11, 0x11, 0x11, 0x0a, 0x04, 0x04, 0x04}}, {'Z', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}},
    {'-', {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}}, {':', {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00}},
    {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}}, {'+', {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}},
    {'/', {0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x00}}, {',', {0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08}},
    {'_', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f}}, {'(', {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}},
    {')', {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}}, {' ', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
}};

const Glyph& glyphOf(char character) {
  const char large = g_ascii_toupper(character);
  const auto* found =
      std::find_if(font.begin(), font.end(), [large](const Glyph& glyph) { return glyph.character == large; });
  return found == font.end() ? font.back() : *found;
}

struct Colour {
  guint8 brightness = white;
  guint8 blue = grey;
  guint8 red = grey;
};

enum class Background { none, halfTransparent, opaque };

/** The brightness and colour planes of a frame, with everything outside of it cut off. */
class Canvas {
 public:
  explicit Canvas(GstVideoFrame* frame)
      : width_(GST_VIDEO_FRAME_WIDTH(frame)),
        height_(GST_VIDEO_FRAME_HEIGHT(frame)),
        luma_(static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0))),
        lumaStride_(GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0)),
        chroma_(static_cast<guint8*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 1))),
        chromaStride_(GST_VIDEO_FRAME_PLANE_STRIDE(frame, 1)) {}

  int width() const { return width_; }
  int height() const { return height_; }

  void fill(int left, int top, int width, int height, guint8 brightness) {
    const int right = std::min(left + width, width_);
    const int bottom = std::min(top + height, height_);
    left = std::max(left, 0);
    if (left >= right) return;
    for (int y = std::max(top, 0); y < bottom; y += 1)
      std::memset(luma_ + y * lumaStride_ + left, brightness, static_cast<std::size_t>(right - left));
  }

  /** Two by two pixels share one colour. */
  void tint(int left, int top, int width, int height, guint8 blue, guint8 red) {
    eachColour(left, top, width, height, [blue, red](guint8* pair) {
      pair[0] = blue;
      pair[1] = red;
    });
  }

  /** Half of the way to black. */
  void darken(int left, int top, int width, int height) {
    for (int y = std::max(top, 0); y < std::min(top + height, height_); y += 1)
      for (int x = std::max(left, 0); x < std::min(left + width, width_); x += 1) {
        guint8& pixel = luma_[y * lumaStride_ + x];
        pixel = static_cast<guint8>((pixel + black) / 2);
      }
    eachColour(left, top, width, height, [](guint8* pair) {
      pair[0] = static_cast<guint8>((pair[0] + grey) / 2);
      pair[1] = static_cast<guint8>((pair[1] + grey) / 2);
    });
  }

 private:
  template <typename Change>
  void eachColour(int left, int top, int width, int height, Change change) {
    const int from = std::max(left, 0) / 2 * 2;
    const int to = std::min((left + width + 1) / 2 * 2, (width_ + 1) / 2 * 2);
    const int bottom = std::min((top + height + 1) / 2, (height_ + 1) / 2);
    for (int y = std::max(top, 0) / 2; y < bottom; y += 1)
      for (int x = from; x < to; x += 2) change(chroma_ + y * chromaStride_ + x);
  }

  int width_;
  int height_;
  guint8* luma_;
  int lumaStride_;
  guint8* chroma_;
  int chromaStride_;
};

struct Wishes {
  bool showText = true;
  std::string position = "bottom-left";
  std::string format = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX";
  /** Red, green and blue. */
  std::uint32_t colour = 0xffffff;
  Background background = Background::opaque;
  /** Height of the text in pixels. */
  int size = 24;
  /** Empty for UTC. */
  std::string timeZone;
  /** Pixels of a cell; 0 for no block. */
  int block = 0;
};

struct Timestamp {
  GstVideoFilter parent;
  std::mutex* lock;
  Wishes* wishes;
};
struct TimestampClass {
  GstVideoFilterClass parent;
};

G_DEFINE_TYPE(Timestamp, timestamp, GST_TYPE_VIDEO_FILTER)

enum Property {
  propertyText = 1,
  propertyPosition,
  propertySize,
  propertyFormat,
  propertyColour,
  propertyBackground,
  propertyTimeZone,
  propertyBlock
};

Timestamp* self(gpointer object) { return reinterpret_cast<Timestamp*>(object); }

/** Microseconds since 1970 at which the frame was captured, whatever the time it took to come here. */
std::int64_t capturedAt(GstElement* element, GstVideoFrame* frame) {
  const std::int64_t wall = g_get_real_time();
  const GstSegment& segment = GST_BASE_TRANSFORM(element)->segment;
  const GstClockTime running = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, GST_BUFFER_PTS(frame->buffer));
  GstClock* clock = gst_element_get_clock(element);
  if (clock == nullptr || !GST_CLOCK_TIME_IS_VALID(running)) {
    if (clock != nullptr) gst_object_unref(clock);
    return wall;
  }
  const GstClockTimeDiff age = GST_CLOCK_DIFF(running + gst_element_get_base_time(element), gst_clock_get_time(clock));
  gst_object_unref(clock);
  return wall - age / GST_USECOND;
}

/** One part of a format as it is written for people: `yyyy`, `MM`, `SSS` and so on; other letters stand for themselves. */
std::string part(const std::string& letters, GDateTime* local, std::int64_t microseconds) {
  static const std::array<std::pair<const char*, const char*>, 11> parts{{{"yyyy", "%Y"},
                                                                          {"yy", "%y"},
                                                                          {"MMM", "%b"},
                                                                          {"MM", "%m"},
                                                                          {"dd", "%d"},
                                                                          {"EEE", "%a"},
                                                                          {"HH", "%H"},
                                                                          {"hh", "%I"},
                                                                          {"a", "%p"},
                                                                          {"mm", "%M"},
                                                                          {"ss", "%S"}}};
  for (const auto& [name, format] : parts)
    if (letters == name) {
      gchar* text = g_date_time_format(local, format);
      std::string result = text;
      g_free(text);
      return result;
    }
  if (letters == "SSS") {
    std::array<char, 4> digits{};
    g_snprintf(digits.data(), digits.size(), "%03d", static_cast<int>(microseconds / 1000 % 1000));
    return digits.data();
  }
  if (letters == "XXX") {
    if (g_date_time_get_utc_offset(local) == 0) return "Z";
    gchar* text = g_date_time_format(local, "%:z");
    std::string result = text;
    g_free(text);
    return result;
  }
  return letters;
}

std::string timeText(std::int64_t microseconds, const Wishes& wishes) {
  GTimeZone* zone =
      wishes.timeZone.empty() ? g_time_zone_new_utc() : g_time_zone_new_identifier(wishes.timeZone.c_str());
  if (zone == nullptr) zone = g_time_zone_new_utc();
  GDateTime* utc = g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC);
  GDateTime* local = g_date_time_to_timezone(utc, zone);
  std::string text;
  const std::string& format = wishes.format;
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] == '\'') {
      // Between quotes letters are letters.
      const std::size_t close = std::min(format.find('\'', at + 1), format.size());
      text += format.substr(at + 1, close - at - 1);
      at = close + 1;
      continue;
    }
    const std::size_t next = std::min(format.find_first_not_of(format[at], at), format.size());
    text += part(format.substr(at, next - at), local, microseconds);
    at = next;
  }
  g_date_time_unref(local);
  g_date_time_unref(utc);
  g_time_zone_unref(zone);
  return text;
}

guint8 clamp(double value) { return static_cast<guint8>(std::clamp(value, 0.0, 255.0) + 0.5); }

/** In the limited range, by the matrix that the frame is said to have. */
Colour inFrame(std::uint32_t rgb, const GstVideoFrame* frame) {
  gdouble partRed = 0.2126;
  gdouble partBlue = 0.0722;
  gst_video_color_matrix_get_Kr_Kb(frame->info.colorimetry.matrix, &partRed, &partBlue);
  const double red = (rgb >> 16 & 255) / 255.0;
  const double green = (rgb >> 8 & 255) / 255.0;
  const double blue = (rgb & 255) / 255.0;
  const double brightness = partRed * red + (1 - partRed - partBlue) * green + partBlue * blue;
  return {clamp(black + brightness * (white - black)),
          clamp(grey + (blue - brightness) / (1 - partBlue) * 112),
          clamp(grey + (red - brightness) / (1 - partRed) * 112)};
}

void drawText(Canvas& canvas, const std::string& text, const Wishes& wishes, const Colour& colour) {
  // Whole pixels for each dot of a glyph: letters stay sharp and the encoder has little to do.
  const int dot = std::max(1, wishes.size / glyphHeight);
  const int step = (glyphWidth + 1) * dot;
  const int width = static_cast<int>(text.size()) * step + dot;
  const int height = (glyphHeight + 2) * dot;
  const bool isRight = wishes.position.find("right") != std::string::npos;
  const bool isBottom = wishes.position.find("bottom") != std::string::npos;
  int left = isRight ? canvas.width() - width - margin * dot : margin * dot;
  int top = isBottom ? canvas.height() - height - margin * dot : margin * dot;
  if (wishes.position == "center") {
    left = (canvas.width() - width) / 2;
    top = (canvas.height() - height) / 2;
  }
  if (wishes.background == Background::halfTransparent) canvas.darken(left, top, width, height);
  if (wishes.background == Background::opaque) {
    canvas.fill(left, top, width, height, black);
    canvas.tint(left, top, width, height, grey, grey);
  }
  for (std::size_t index = 0; index < text.size(); index += 1) {
    const Glyph& glyph = glyphOf(text[index]);
    for (int row = 0; row < glyphHeight; row += 1)
      for (int column = 0; column < glyphWidth; column += 1)
        if ((glyph.rows[static_cast<std::size_t>(row)] >> (glyphWidth - 1 - column) & 1) != 0) {
          const int x = left + dot + static_cast<int>(index) * step + column * dot;
          const int y = top + dot + row * dot;
          canvas.fill(x, y, dot, dot, colour.brightness);
          canvas.tint(x, y, dot, dot, colour.blue, colour.red);
        }
  }
}

void drawBlock(Canvas& canvas, std::int64_t microseconds, int cell) {
  const std::uint64_t time = static_cast<std::uint64_t>(microseconds) & ((std::uint64_t{1} << timeBits) - 1);
  std::uint64_t check = 0;
  for (int shift = 0; shift < timeBits; shift += 4) check = (check * 7 + (time >> shift & 15)) & 0xfff;
  const std::uint64_t bits = time << (blockBits - timeBits) | check;
  const int left = blockMargin * cell;
  const int top = blockMargin * cell;
  canvas.tint(left, top, blockBits * cell, cell, grey, grey);
  for (int bit = 0; bit < blockBits; bit += 1)
    canvas.fill(left + bit * cell, top, cell, cell, (bits >> (blockBits - 1 - bit) & 1) != 0 ? white : black);
}

GstFlowReturn transform(GstVideoFilter* filter, GstVideoFrame* frame) {
  Timestamp* timestamp = self(filter);
  Wishes wishes;
  {
    const std::lock_guard<std::mutex> hold(*timestamp->lock);
    wishes = *timestamp->wishes;
  }
  const std::int64_t microseconds = capturedAt(GST_ELEMENT(filter), frame);
  Canvas canvas(frame);
  if (wishes.showText)
    drawText(canvas, timeText(microseconds, wishes), wishes, inFrame(wishes.colour, frame));
  if (wishes.block > 0) drawBlock(canvas, microseconds, wishes.block);
  return GST_FLOW_OK;
}

void setProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  const std::lock_guard<std::mutex> hold(*self(object)->lock);
  Wishes& wishes = *self(object)->wishes;
  const auto text = [value] {
    const gchar* given = g_value_get_string(value);
    return std::string(given == nullptr ? "" : given);
  };
  switch (id) {
    case propertyText:
      wishes.showText = g_value_get_boolean(value) == TRUE;
      break;
    case propertyPosition:
      wishes.position = text();
      break;
    case propertySize:
      wishes.size = g_value_get_int(value);
      break;
    case propertyFormat:
      wishes.format = text();
      break;
    case propertyColour:
      wishes.colour = g_value_get_uint(value);
      break;
    case propertyBackground: {
      const std::string wish = text();
      wishes.background = wish == "none"               ? Background::none
                          : wish == "semi-transparent" ? Background::halfTransparent
                                                       : Background::opaque;
      break;
    }
    case propertyTimeZone:
      wishes.timeZone = text();
      break;
    case propertyBlock:
      // Colour is shared by two pixels, and so a cell begins at an even one.
      wishes.block = g_value_get_int(value) / 2 * 2;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  // Frames that nothing is drawn into need not be copied.
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(object), !wishes.showText && wishes.block == 0);
}

void getProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const std::lock_guard<std::mutex> hold(*self(object)->lock);
  const Wishes& wishes = *self(object)->wishes;
  switch (id) {
    case propertyText:
      g_value_set_boolean(value, wishes.showText);
      break;
    case propertyPosition:
      g_value_set_string(value, wishes.position.c_str());
      break;
    case propertySize:
      g_value_set_int(value, wishes.size);
      break;
    case propertyFormat:
      g_value_set_string(value, wishes.format.c_str());
      break;
    case propertyColour:
      g_value_set_uint(value, wishes.colour);
      break;
    case propertyBackground:
      g_value_set_string(value, wishes.background == Background::none              ? "none"
                                : wishes.background == Background::halfTransparent ? "semi-transparent"
                                                                                   : "opaque");
      break;
    case propertyTimeZone:
      g_value_set_string(value, wishes.timeZone.c_str());
      break;
    case propertyBlock:
      g_value_set_int(value, wishes.block);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void finalize(GObject* object) {
  delete self(object)->wishes;
  delete self(object)->lock;
  G_OBJECT_CLASS(timestamp_parent_class)->finalize(object);
}

GstStaticPadTemplate sinkTemplate = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));
GstStaticPadTemplate srcTemplate = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("NV12")));

void timestamp_class_init(TimestampClass* type) {
  GObjectClass* object = G_OBJECT_CLASS(type);
  object->set_property = setProperty;
  object->get_property = getProperty;
  object->finalize = finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, propertyText, g_param_spec_boolean("text", "Text", "Whether the time is written for people", TRUE, flags));
  g_object_class_install_property(
      object, propertyPosition,
      g_param_spec_string("position", "Position", "top-left, top-right, bottom-left, bottom-right or center",
                          "bottom-left", flags));
  g_object_class_install_property(
      object, propertySize, g_param_spec_int("size", "Size", "Height of the text in pixels", 7, 500, 24, flags));
  g_object_class_install_property(
      object, propertyFormat,
      g_param_spec_string("format", "Format", "Of the time: yyyy MM dd HH mm ss SSS XXX, and text between quotes",
                          "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", flags));
  g_object_class_install_property(
      object, propertyColour,
      g_param_spec_uint("colour", "Colour", "Of the text, as 0xRRGGBB", 0, 0xffffff, 0xffffff, flags));
  g_object_class_install_property(
      object, propertyBackground,
      g_param_spec_string("background", "Background", "none, semi-transparent or opaque", "opaque", flags));
  g_object_class_install_property(
      object, propertyTimeZone,
      g_param_spec_string("time-zone", "Time zone", "Such as Europe/Berlin; empty for UTC", "", flags));
  g_object_class_install_property(
      object, propertyBlock,
      g_param_spec_int("block", "Block", "Pixels of a cell of the block for programs; 0 for none", 0, 64, 0, flags));
  GstElementClass* element = GST_ELEMENT_CLASS(type);
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &srcTemplate);
  gst_element_class_set_static_metadata(element, "Capture time", "Filter/Effect/Video",
                                        "Writes the time of capture into NV12 frames", "Obscura");
  GST_VIDEO_FILTER_CLASS(type)->transform_frame_ip = transform;
}

void timestamp_init(Timestamp* timestamp) {
  timestamp->lock = new std::mutex();
  timestamp->wishes = new Wishes();
}

}  // namespace

bool registerTimestamp() {
  return gst_element_register(nullptr, "nv12timestamp", GST_RANK_NONE, timestamp_get_type()) == TRUE;
}

}  // namespace obscura
