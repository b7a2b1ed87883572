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

constexpr std::array<Glyph, 17> font{{
    {'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}}, {'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}}, {'3', {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e}},
    {'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}}, {'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
    {'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}}, {'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}}, {'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
    {'-', {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}}, {':', {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00}},
    {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}}, {'+', {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}},
    {'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}}, {'Z', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}},
    {' ', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
}};

const Glyph& glyphOf(char character) {
  const auto* found = std::find_if(font.begin(), font.end(),
                                   [character](const Glyph& glyph) { return glyph.character == character; });
  return found == font.end() ? font.back() : *found;
}

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

  /** Takes the colour out, where two by two pixels share one. */
  void bleach(int left, int top, int width, int height) {
    const int from = std::max(left, 0) / 2 * 2;
    const int to = std::min((left + width + 1) / 2 * 2, (width_ + 1) / 2 * 2);
    const int bottom = std::min((top + height + 1) / 2, (height_ + 1) / 2);
    if (from >= to) return;
    for (int y = std::max(top, 0) / 2; y < bottom; y += 1)
      std::memset(chroma_ + y * chromaStride_ + from, grey, static_cast<std::size_t>(to - from));
  }

 private:
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

enum Property { propertyText = 1, propertyPosition, propertySize, propertyTimeZone, propertyBlock };

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

std::string isoDate(std::int64_t microseconds, const std::string& zoneName) {
  GTimeZone* zone = zoneName.empty() ? g_time_zone_new_utc() : g_time_zone_new_identifier(zoneName.c_str());
  if (zone == nullptr) zone = g_time_zone_new_utc();
  GDateTime* utc = g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC);
  GDateTime* local = g_date_time_to_timezone(utc, zone);
  gchar* head = g_date_time_format(local, "%Y-%m-%dT%H:%M:%S");
  gchar* tail = zoneName.empty() ? g_strdup("Z") : g_date_time_format(local, "%:z");
  gchar* whole = g_strdup_printf("%s.%03d%s", head, static_cast<int>(microseconds / 1000 % 1000), tail);
  const std::string text = whole;
  g_free(whole);
  g_free(tail);
  g_free(head);
  g_date_time_unref(local);
  g_date_time_unref(utc);
  g_time_zone_unref(zone);
  return text;
}

void drawText(Canvas& canvas, const std::string& text, const Wishes& wishes) {
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
  canvas.fill(left, top, width, height, black);
  canvas.bleach(left, top, width, height);
  for (std::size_t index = 0; index < text.size(); index += 1) {
    const Glyph& glyph = glyphOf(text[index]);
    for (int row = 0; row < glyphHeight; row += 1)
      for (int column = 0; column < glyphWidth; column += 1)
        if ((glyph.rows[static_cast<std::size_t>(row)] >> (glyphWidth - 1 - column) & 1) != 0)
          canvas.fill(left + dot + static_cast<int>(index) * step + column * dot, top + dot + row * dot, dot, dot, white);
  }
}

void drawBlock(Canvas& canvas, std::int64_t microseconds, int cell) {
  const std::uint64_t time = static_cast<std::uint64_t>(microseconds) & ((std::uint64_t{1} << timeBits) - 1);
  std::uint64_t check = 0;
  for (int shift = 0; shift < timeBits; shift += 4) check = (check * 7 + (time >> shift & 15)) & 0xfff;
  const std::uint64_t bits = time << (blockBits - timeBits) | check;
  const int left = blockMargin * cell;
  const int top = blockMargin * cell;
  canvas.bleach(left, top, blockBits * cell, cell);
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
  if (wishes.showText) drawText(canvas, isoDate(microseconds, wishes.timeZone), wishes);
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
