// What the process that keeps the state asks of the system: it tells the service manager how the server is doing, and is
// told how its connections fare. Deliberately without GStreamer, because that process must not be at the mercy of media
// libraries.
#include <napi.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "media/tcp_socket.h"

namespace {

/** Closes the descriptor when it goes out of scope. */
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/** Sends one datagram to the socket named by NOTIFY_SOCKET; false where there is none or it cannot be reached. */
bool notify(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return false;
  sockaddr_un address{};
  const std::size_t length = std::strlen(path);
  if (length >= sizeof(address.sun_path)) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, length);
  // A name that starts with @ is in the abstract namespace, where the first byte is zero.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Descriptor socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket_fd.get() < 0) return false;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const auto sent = sendto(socket_fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                           reinterpret_cast<const sockaddr*>(&address), size);
  return sent == static_cast<ssize_t>(state.size());
}

Napi::Value Notify(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsString()) {
    throw Napi::TypeError::New(info.Env(), "notify needs a text such as READY=1");
  }
  return Napi::Boolean::New(info.Env(), notify(info[0].As<Napi::String>().Utf8Value()));
}

/** {queuedBytes, rttMs} of a descriptor, or nothing where that is no TCP connection. */
Napi::Value TcpConnection(const Napi::CallbackInfo& info) {
  if (info.Length() < 1 || !info[0].IsNumber())
    throw Napi::TypeError::New(info.Env(), "tcpConnection needs a descriptor");
  const auto state = obscura::stateOfTcp(info[0].As<Napi::Number>().Int32Value());
  if (!state.has_value()) return info.Env().Undefined();
  auto result = Napi::Object::New(info.Env());
  result.Set("queuedBytes", static_cast<double>(state->queuedBytes));
  result.Set("rttMs", state->rttMs);
  return result;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("notify", Napi::Function::New(env, Notify, "notify"));
  exports.Set("tcpConnection", Napi::Function::New(env, TcpConnection, "tcpConnection"));
  return exports;
}

}  // namespace

NODE_API_MODULE(obscura_system, Init)
