// Cameras for machines that have none: preloaded into a process, it makes each file `videoN` of the folder FAKE_V4L2 look
// like a V4L2 device to it. Plugging one in is making the file, unplugging is removing it. The file says what the device
// is, one word of these at the beginning of each line:
//   name <name>                                              the name of the device
//   format <fourcc> <width> <height> <rate>...               what it takes pictures in
//   control <id> <kind> <name> <min> <max> <step> <default> [<value>=<item>...]   with _ for blanks in names
//   refuse <id>                                              a control that cannot be set now
//   pulses <id> <value>                                      while the control has this value it waits for pulses, which never come
//   hang                                                     it does not answer as long as it is plugged in
// Pictures are of one colour, as bright as the control 0x980900 says. What is set is added to `videoN.set`, as `id value`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST 16
#define MOST_FDS 1024

struct item {
  long value;
  char name[32];
};
struct control {
  unsigned id;
  unsigned type;
  char name[32];
  long minimum, maximum, step, standard, value;
  struct item items[MOST];
  int itemCount;
  int isRefused;
};
struct format {
  unsigned code, width, height;
  unsigned rates[MOST];
  int rateCount;
};
struct device {
  char path[256];
  char name[32];
  struct control controls[MOST];
  int controlCount;
  struct format formats[MOST];
  int formatCount;
  unsigned code, width, height, rate;
  int hangs;
  unsigned pulsesBy;
  long pulsesAt;
};

static struct device devices[MOST];
static int deviceCount;
static struct device* owners[MOST_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int isPlugged(const char* path) { return REAL(access)(path, F_OK) == 0; }

static int isFake(const char* path) {
  const char* folder = getenv("FAKE_V4L2");
  if (folder == NULL || path == NULL) return 0;
  size_t length = strlen(folder);
  return strncmp(path, folder, length) == 0 && strncmp(path + length, "/video", 6) == 0 && strchr(path + length, '.') == NULL;
}

static void withBlanks(char* name) {
  for (; *name != '\0'; name += 1)
    if (*name == '_') *name = ' ';
}

static struct control* controlOf(struct device* device, unsigned id) {
  for (int index = 0; index < device->controlCount; index += 1)
    if (device->controls[index].id == id) return &device->controls[index];
  return NULL;
}

static void readControl(struct device* device, char* words) {
  struct control* control = &device->controls[device->controlCount++];
  char kind[16];
  int length = 0;
  memset(control, 0, sizeof(*control));
  sscanf(words, "%x %15s %31s %ld %ld %ld %ld%n", &control->id, kind, control->name, &control->minimum, &control->maximum,
         &control->step, &control->standard, &length);
  withBlanks(control->name);
  control->value = control->standard;
  control->type = strcmp(kind, "boolean") == 0        ? V4L2_CTRL_TYPE_BOOLEAN
                  : strcmp(kind, "menu") == 0         ? V4L2_CTRL_TYPE_MENU
                  : strcmp(kind, "integer-menu") == 0 ? V4L2_CTRL_TYPE_INTEGER_MENU
                                                      : V4L2_CTRL_TYPE_INTEGER;
  char* rest = NULL;
  for (char* word = strtok_r(words + length, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
    struct item* item = &control->items[control->itemCount++];
    sscanf(word, "%ld=%31s", &item->value, item->name);
    withBlanks(item->name);
  }
}

static void readFormat(struct device* device, char* words) {
  struct format* format = &device->formats[device->formatCount++];
  char code[5];
  int length = 0;
  memset(format, 0, sizeof(*format));
  sscanf(words, "%4s %u %u%n", code, &format->width, &format->height, &length);
  format->code = v4l2_fourcc(code[0], code[1], code[2], code[3]);
  for (char* next = words + length; format->rateCount < MOST;) {
    unsigned rate = (unsigned)strtoul(next, &next, 10);
    if (rate == 0) break;
    format->rates[format->rateCount++] = rate;
  }
}

/** What the file says now; a device that is plugged in again begins with its defaults. */
static void describe(struct device* device) {
  char path[256];
  strcpy(path, device->path);
  memset(device, 0, sizeof(*device));
  strcpy(device->path, path);
  FILE* file = fopen(path, "r");
  if (file == NULL) return;
  char line[512];
  while (fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "name ", 5) == 0) sscanf(line + 5, "%31[^\n]", device->name);
    if (strncmp(line, "format ", 7) == 0) readFormat(device, line + 7);
    if (strncmp(line, "control ", 8) == 0) readControl(device, line + 8);
    if (strncmp(line, "hang", 4) == 0) device->hangs = 1;
    if (strncmp(line, "pulses ", 7) == 0) sscanf(line + 7, "%x %ld", &device->pulsesBy, &device->pulsesAt);
    if (strncmp(line, "refuse ", 7) == 0) {
      struct control* control = controlOf(device, (unsigned)strtoul(line + 7, NULL, 16));
      if (control != NULL) control->isRefused = 1;
    }
  }
  fclose(file);
  device->code = device->formats[0].code;
  device->width = device->formats[0].width;
  device->height = device->formats[0].height;
  device->rate = device->formats[0].rates[0];
}

static struct device* deviceAt(const char* path) {
  for (int index = 0; index < deviceCount; index += 1)
    if (strcmp(devices[index].path, path) == 0) return &devices[index];
  struct device* device = &devices[deviceCount++];
  memset(device, 0, sizeof(*device));
  snprintf(device->path, sizeof(device->path), "%s", path);
  return device;
}

static struct device* owner(int fd) { return fd >= 0 && fd < MOST_FDS ? owners[fd] : NULL; }

static int isOpen(struct device* device) {
  for (int fd = 0; fd < MOST_FDS; fd += 1)
    if (owners[fd] == device) return 1;
  return 0;
}

/** Readable whenever a picture is due. */
static void keepTime(int fd, struct device* device) {
  const struct control* trigger = controlOf(device, device->pulsesBy);
  struct itimerspec time = {{0, 1000000000 / (device->rate == 0 ? 30 : device->rate)}, {0, 1}};
  if (trigger != NULL && trigger->value == device->pulsesAt) memset(&time, 0, sizeof(time));
  timerfd_settime(fd, 0, &time, NULL);
}

static int openFake(const char* path) {
  if (!isPlugged(path)) {
    errno = ENOENT;
    return -1;
  }
  pthread_mutex_lock(&lock);
  struct device* device = deviceAt(path);
  if (!isOpen(device)) {
    // Settings of a device outlive those who open it, until it is unplugged.
    struct stat now;
    REAL(stat)(path, &now);
    static struct timespec known[MOST];
    struct timespec* mine = &known[device - devices];
    if (mine->tv_sec != now.st_mtim.tv_sec || mine->tv_nsec != now.st_mtim.tv_nsec) describe(device);
    *mine = now.st_mtim;
  }
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  keepTime(fd, device);
  owners[fd] = device;
  pthread_mutex_unlock(&lock);
  while (device->hangs && isPlugged(path)) usleep(10000);
  return fd;
}

#define OPEN(name)                                   \
  int name(const char* path, int flags, ...) {       \
    va_list words;                                   \
    va_start(words, flags);                          \
    mode_t mode = va_arg(words, mode_t);             \
    va_end(words);                                   \
    if (isFake(path)) return openFake(path);         \
    return REAL(name)(path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  if (owner(fd) != NULL) owners[fd] = NULL;
  return REAL(close)(fd);
}

int dup(int fd) {
  int other = REAL(dup)(fd);
  if (owner(fd) != NULL && other >= 0) owners[other] = owners[fd];
  return other;
}

#define STAT(name, type)                                          \
  int name(const char* path, struct type* result) {               \
    int answer = REAL(name)(path, result);                        \
    if (answer == 0 && isFake(path))                              \
      result->st_mode = (result->st_mode & ~S_IFMT) | S_IFCHR;    \
    return answer;                                                \
  }
STAT(stat, stat)
STAT(stat64, stat64)

ssize_t read(int fd, void* buffer, size_t size) {
  struct device* device = owner(fd);
  if (device == NULL) return REAL(read)(fd, buffer, size);
  if (!isPlugged(device->path)) {
    errno = ENODEV;
    return -1;
  }
  unsigned long long due;
  if (REAL(read)(fd, &due, sizeof(due)) < 0) return -1;
  struct control* brightness = controlOf(device, V4L2_CID_BRIGHTNESS);
  unsigned char luma = 126;
  if (brightness != NULL)
    luma = (unsigned char)(16 + 219 * (brightness->value - brightness->minimum) / (brightness->maximum - brightness->minimum));
  unsigned char* bytes = buffer;
  for (size_t index = 0; index < size; index += 2) {
    bytes[index] = luma;
    if (index + 1 < size) bytes[index + 1] = 128;
  }
  return (ssize_t)size;
}

static int fail(int error) {
  errno = error;
  return -1;
}

static const struct format* formatAt(struct device* device, unsigned code, unsigned index) {
  for (int each = 0; each < device->formatCount; each += 1)
    if (device->formats[each].code == code && index-- == 0) return &device->formats[each];
  return NULL;
}

static int setFormat(struct device* device, struct v4l2_pix_format* pixels, int isMeant) {
  const struct format* chosen = &device->formats[0];
  for (int each = 0; each < device->formatCount; each += 1) {
    const struct format* format = &device->formats[each];
    if (format->code == pixels->pixelformat && format->width == pixels->width && format->height == pixels->height)
      chosen = format;
  }
  *pixels = (struct v4l2_pix_format){.width = chosen->width,
                                     .height = chosen->height,
                                     .pixelformat = chosen->code,
                                     .field = V4L2_FIELD_NONE,
                                     .bytesperline = chosen->width * 2,
                                     .sizeimage = chosen->width * chosen->height * 2,
                                     .colorspace = V4L2_COLORSPACE_SRGB};
  if (isMeant) {
    device->code = chosen->code;
    device->width = chosen->width;
    device->height = chosen->height;
  }
  return 0;
}

static int setControl(struct device* device, unsigned id, long value) {
  struct control* control = controlOf(device, id);
  if (control == NULL) return fail(EINVAL);
  if (value < control->minimum || value > control->maximum) return fail(ERANGE);
  if (control->isRefused) return fail(EBUSY);
  control->value = value;
  for (int fd = 0; fd < MOST_FDS; fd += 1)
    if (owners[fd] == device) keepTime(fd, device);
  char path[300];
  snprintf(path, sizeof(path), "%s.set", device->path);
  int file = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  char line[64];
  int length = snprintf(line, sizeof(line), "%x %ld\n", id, value);
  if (write(file, line, (size_t)length) < 0) perror("fakeV4l2");
  REAL(close)(file);
  return 0;
}

static struct control* nextControl(struct device* device, unsigned id) {
  if ((id & V4L2_CTRL_FLAG_NEXT_CTRL) == 0) return controlOf(device, id);
  struct control* next = NULL;
  for (int each = 0; each < device->controlCount; each += 1) {
    struct control* control = &device->controls[each];
    if (control->id > (id & V4L2_CTRL_ID_MASK) && (next == NULL || control->id < next->id)) next = control;
  }
  return next;
}

static int answer(struct device* device, int fd, unsigned long request, void* argument) {
  switch (request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability* capability = argument;
      memset(capability, 0, sizeof(*capability));
      strcpy((char*)capability->driver, "uvcvideo");
      strcpy((char*)capability->card, device->name);
      strcpy((char*)capability->bus_info, "usb-fake-1");
      // Without streaming pictures are read like a file, which needs nothing mapped.
      capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE;
      capability->capabilities = capability->device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case VIDIOC_ENUM_FMT: {
      struct v4l2_fmtdesc* wanted = argument;
      if (wanted->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
      unsigned seen = 0;
      for (int each = 0; each < device->formatCount; each += 1) {
        const struct format* format = &device->formats[each];
        if (formatAt(device, format->code, 0) != format) continue;
        if (seen++ != wanted->index) continue;
        wanted->flags = 0;
        wanted->pixelformat = format->code;
        snprintf((char*)wanted->description, sizeof(wanted->description), "Fake %.4s", (const char*)&format->code);
        return 0;
      }
      return fail(EINVAL);
    }
    case VIDIOC_ENUM_FRAMESIZES: {
      struct v4l2_frmsizeenum* size = argument;
      const struct format* format = formatAt(device, size->pixel_format, size->index);
      if (format == NULL) return fail(EINVAL);
      size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
      size->discrete.width = format->width;
      size->discrete.height = format->height;
      return 0;
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
      struct v4l2_frmivalenum* interval = argument;
      const struct format* format = NULL;
      for (unsigned index = 0; (format = formatAt(device, interval->pixel_format, index)) != NULL; index += 1)
        if (format->width == interval->width && format->height == interval->height) break;
      if (format == NULL || interval->index >= (unsigned)format->rateCount) return fail(EINVAL);
      interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
      interval->discrete.numerator = 1;
      interval->discrete.denominator = format->rates[interval->index];
      return 0;
    }
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT: {
      struct v4l2_format* format = argument;
      if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
      if (request == VIDIOC_G_FMT) {
        format->fmt.pix.pixelformat = device->code;
        format->fmt.pix.width = device->width;
        format->fmt.pix.height = device->height;
      }
      return setFormat(device, &format->fmt.pix, request != VIDIOC_TRY_FMT);
    }
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
      struct v4l2_streamparm* parameters = argument;
      if (parameters->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
      struct v4l2_captureparm* capture = &parameters->parm.capture;
      if (request == VIDIOC_S_PARM && capture->timeperframe.numerator > 0)
        device->rate = capture->timeperframe.denominator / capture->timeperframe.numerator;
      keepTime(fd, device);
      memset(capture, 0, sizeof(*capture));
      capture->capability = V4L2_CAP_TIMEPERFRAME;
      capture->timeperframe = (struct v4l2_fract){1, device->rate};
      capture->readbuffers = 2;
      return 0;
    }
    case VIDIOC_ENUMINPUT: {
      struct v4l2_input* input = argument;
      if (input->index > 0) return fail(EINVAL);
      memset(input, 0, sizeof(*input));
      strcpy((char*)input->name, "Camera");
      input->type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    }
    case VIDIOC_G_INPUT:
      *(int*)argument = 0;
      return 0;
    case VIDIOC_S_INPUT:
      return 0;
    case VIDIOC_QUERYCTRL: {
      struct v4l2_queryctrl* wanted = argument;
      const struct control* control = nextControl(device, wanted->id);
      if (control == NULL) return fail(EINVAL);
      memset(wanted, 0, sizeof(*wanted));
      wanted->id = control->id;
      wanted->type = control->type;
      strcpy((char*)wanted->name, control->name);
      wanted->minimum = (int)control->minimum;
      wanted->maximum = (int)control->maximum;
      wanted->step = (int)control->step;
      wanted->default_value = (int)control->standard;
      return 0;
    }
    case VIDIOC_QUERY_EXT_CTRL: {
      struct v4l2_query_ext_ctrl* wanted = argument;
      const struct control* control = nextControl(device, wanted->id);
      if (control == NULL) return fail(EINVAL);
      memset(wanted, 0, sizeof(*wanted));
      wanted->id = control->id;
      wanted->type = control->type;
      strcpy(wanted->name, control->name);
      wanted->minimum = control->minimum;
      wanted->maximum = control->maximum;
      wanted->step = (unsigned long)control->step;
      wanted->default_value = control->standard;
      return 0;
    }
    case VIDIOC_QUERYMENU: {
      struct v4l2_querymenu* item = argument;
      const struct control* control = controlOf(device, item->id);
      for (int each = 0; control != NULL && each < control->itemCount; each += 1)
        if (control->items[each].value == (long)item->index) {
          if (control->type == V4L2_CTRL_TYPE_INTEGER_MENU)
            item->value = atol(control->items[each].name);
          else
            strcpy((char*)item->name, control->items[each].name);
          return 0;
        }
      return fail(EINVAL);
    }
    case VIDIOC_G_CTRL: {
      struct v4l2_control* wanted = argument;
      const struct control* control = controlOf(device, wanted->id);
      if (control == NULL) return fail(EINVAL);
      wanted->value = (int)control->value;
      return 0;
    }
    case VIDIOC_S_CTRL: {
      const struct v4l2_control* wanted = argument;
      return setControl(device, wanted->id, wanted->value);
    }
    case VIDIOC_S_EXT_CTRLS: {
      const struct v4l2_ext_controls* wanted = argument;
      for (unsigned index = 0; index < wanted->count; index += 1)
        if (setControl(device, wanted->controls[index].id, wanted->controls[index].value) != 0) return -1;
      return 0;
    }
    default:
      return fail(ENOTTY);
  }
}

int ioctl(int fd, unsigned long request, ...) {
  va_list words;
  va_start(words, request);
  void* argument = va_arg(words, void*);
  va_end(words);
  struct device* device = owner(fd);
  if (device == NULL) return REAL(ioctl)(fd, request, argument);
  if (!isPlugged(device->path)) return fail(ENODEV);
  pthread_mutex_lock(&lock);
  int result = answer(device, fd, request, argument);
  int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
