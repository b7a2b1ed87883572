#include "rtsp_access.h"

#include <sys/random.h>

#include <cstring>
#include <optional>

#include "events.h"

namespace obscura {
namespace {

constexpr const char* grantName = "obscura-grant";
constexpr int wrongAtMost = 5;
constexpr std::int64_t wrongWindowUs = 300 * G_USEC_PER_SEC;
constexpr std::size_t addressesAtMost = 10'000;
constexpr std::int64_t nonceLifeUs = 300 * G_USEC_PER_SEC;

std::mutex lock;
RtspAccess access;
RtspGuessing guessing;

std::string digestOf(GChecksumType type, const std::string& text) {
  gchar* hex = g_compute_checksum_for_string(type, text.c_str(), static_cast<gssize>(text.size()));
  std::string result = hex;
  g_free(hex);
  return result;
}

std::string md5(const std::string& text) { return digestOf(G_CHECKSUM_MD5, text); }

/** Takes the same time wherever the two differ. */
bool equal(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t index = 0; index < a.size(); index += 1)
    difference |= static_cast<unsigned char>(a[index]) ^ static_cast<unsigned char>(b[index]);
  return difference == 0;
}

/** Nonces carry the time they were made at, and a seal that only this process can make. */
class Nonces {
 public:
  std::string make() {
    const std::string time = std::to_string(g_get_monotonic_time());
    return time + "." + seal(time);
  }
  bool isFresh(const std::string& nonce) {
    const auto cut = nonce.find('.');
    if (cut == std::string::npos || cut > 18) return false;
    const std::string time = nonce.substr(0, cut);
    if (!equal(nonce.substr(cut + 1), seal(time))) return false;
    return g_get_monotonic_time() - g_ascii_strtoll(time.c_str(), nullptr, 10) < nonceLifeUs;
  }

 private:
  std::string seal(const std::string& time) { return digestOf(G_CHECKSUM_SHA256, key_ + time).substr(0, 24); }

  static std::string randomKey() {
    std::string key(32, '\0');
    if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
      g_error("The system gives no random bytes");
    return key;
  }
  const std::string key_ = randomKey();
};

Nonces& nonces() {
  static Nonces all;
  return all;
}

std::string addressOf(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  const gchar* address = connection == nullptr ? nullptr : gst_rtsp_connection_get_ip(connection);
  return address == nullptr ? "" : address;
}

/** Only as long as the lock is held: the next request of the client may bring another. */
const RtspGrant* grantOf(GstRTSPClient* client) {
  return static_cast<const RtspGrant*>(g_object_get_data(G_OBJECT(client), grantName));
}

void remember(GstRTSPClient* client, RtspGrant grant) {
  g_object_set_data_full(G_OBJECT(client), grantName, new RtspGrant(std::move(grant)),
                         [](gpointer data) { delete static_cast<RtspGrant*>(data); });
}

std::optional<RtspGrant> byPassword(const std::string& user, const std::string& password) {
  const auto known = access.accounts.find(user);
  const std::string given = md5(user + ":" + access.realm + ":" + password);
  if (known == access.accounts.end() || !equal(given, known->second)) return std::nullopt;
  return RtspGrant{RtspGrant::Kind::password, user, known->second};
}

std::optional<RtspGrant> byBasic(const gchar* encoded) {
  gsize size = 0;
  guchar* bytes = g_base64_decode(encoded == nullptr ? "" : encoded, &size);
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  g_free(bytes);
  const auto colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return byPassword(text.substr(0, colon), text.substr(colon + 1));
}

struct DigestVerdict {
  std::optional<RtspGrant> grant;
  bool stale = false;
};

DigestVerdict byDigest(const std::map<std::string, std::string>& given, const std::string& method) {
  const auto member = [&given](const char* name) {
    const auto found = given.find(name);
    return found == given.end() ? std::string() : found->second;
  };
  const std::string user = member("username");
  const auto known = access.accounts.find(user);
  if (known == access.accounts.end()) return {};
  const std::string second = md5(method + ":" + member("uri"));
  const std::string middle = member("qop").empty() ? member("nonce")
                                                   : member("nonce") + ":" + member("nc") + ":" +
                                                         member("cnonce") + ":" + member("qop");
  if (!equal(md5(known->second + ":" + middle + ":" + second), member("response"))) return {};
  if (!nonces().isFresh(member("nonce"))) return {std::nullopt, true};
  return {RtspGrant{RtspGrant::Kind::password, user, known->second}, false};
}

std::optional<RtspGrant> byToken(const std::string& token) {
  // obs_<id>_<secret>, or the token of a session.
  const auto first = token.find('_');
  const auto second = first == std::string::npos ? first : token.find('_', first + 1);
  if (second != std::string::npos && token.compare(0, first, "obs") == 0) {
    const std::string id = token.substr(first + 1, second - first - 1);
    const auto known = access.tokens.find(id);
    const std::string hash = digestOf(G_CHECKSUM_SHA256, token.substr(second + 1));
    if (known == access.tokens.end() || !equal(known->second.hash, hash)) return std::nullopt;
    RtspGrant grant{RtspGrant::Kind::token, known->second.user, id};
    if (!access.stillHolds(grant)) return std::nullopt;
    return grant;
  }
  const std::string hash = digestOf(G_CHECKSUM_SHA256, token);
  const auto known = access.sessions.find(hash);
  if (known == access.sessions.end()) return std::nullopt;
  return RtspGrant{RtspGrant::Kind::session, known->second, hash};
}

std::string tokenIn(const GstRTSPUrl* url) {
  if (url == nullptr || url->query == nullptr) return "";
  std::string token;
  gchar** members = g_strsplit(url->query, "&", -1);
  for (gchar** member = members; *member != nullptr; member += 1)
    if (g_str_has_prefix(*member, "token=")) {
      gchar* plain = g_uri_unescape_string(*member + 6, nullptr);
      token = plain == nullptr ? "" : plain;
      g_free(plain);
    }
  g_strfreev(members);
  return token;
}

void refuse(GstRTSPContext* context, bool stale) {
  GstRTSPMessage* response = context->response;
  gst_rtsp_message_init_response(response, GST_RTSP_STS_UNAUTHORIZED,
                                 gst_rtsp_status_as_text(GST_RTSP_STS_UNAUTHORIZED), context->request);
  std::string realm;
  {
    const std::lock_guard<std::mutex> hold(lock);
    realm = access.realm;
  }
  const std::string digest = "Digest realm=\"" + realm + "\", nonce=\"" + nonces().make() +
                             "\", algorithm=MD5" + (stale ? ", stale=TRUE" : "");
  gst_rtsp_message_add_header(response, GST_RTSP_HDR_WWW_AUTHENTICATE, digest.c_str());
  gst_rtsp_message_add_header(response, GST_RTSP_HDR_WWW_AUTHENTICATE, ("Basic realm=\"" + realm + "\"").c_str());
  gst_rtsp_client_send_message(context->client, context->session, response);
}

/** What came with the request: a grant, a refusal, or nothing to judge by. */
struct Judgement {
  bool claimed = false;
  std::optional<RtspGrant> grant;
  bool stale = false;
};

Judgement judge(GstRTSPContext* context) {
  const std::lock_guard<std::mutex> hold(lock);
  gchar* header = nullptr;
  if (gst_rtsp_message_get_header(context->request, GST_RTSP_HDR_AUTHORIZATION, &header, 0) == GST_RTSP_OK) {
    if (g_ascii_strncasecmp(header, "Bearer ", 7) == 0) return {true, byToken(header + 7), false};
    Judgement judgement{true, std::nullopt, false};
    GstRTSPAuthCredential** all =
        gst_rtsp_message_parse_auth_credentials(context->request, GST_RTSP_HDR_AUTHORIZATION);
    for (GstRTSPAuthCredential** each = all; each != nullptr && *each != nullptr; each += 1) {
      if ((*each)->scheme == GST_RTSP_AUTH_BASIC) judgement.grant = byBasic((*each)->authorization);
      if ((*each)->scheme == GST_RTSP_AUTH_DIGEST) {
        std::map<std::string, std::string> members;
        for (GstRTSPAuthParam** member = (*each)->params; member != nullptr && *member != nullptr; member += 1)
          members[(*member)->name] = (*member)->value == nullptr ? "" : (*member)->value;
        const DigestVerdict verdict = byDigest(members, gst_rtsp_method_as_text(context->method));
        judgement.grant = verdict.grant;
        judgement.stale = verdict.stale;
      }
      if (judgement.grant.has_value()) break;
    }
    gst_rtsp_auth_credentials_free(all);
    return judgement;
  }
  const std::string token = tokenIn(context->uri);
  if (!token.empty()) return {true, byToken(token), false};
  // Players send the token with DESCRIBE alone: what was proven then holds for the connection.
  const RtspGrant* grant = grantOf(context->client);
  if (grant != nullptr && access.stillHolds(*grant)) return {true, *grant, false};
  if (access.anonymous) return {true, RtspGrant{}, false};
  return {};
}

bool letIn(GstRTSPContext* context) {
  // Says only what the server can do; some players ask before they know that they must log in.
  if (context->method == GST_RTSP_OPTIONS) return true;
  const std::string address = addressOf(context->client);
  if (guessing.isKeptOut(address)) {
    refuse(context, false);
    return false;
  }
  const Judgement judgement = judge(context);
  if (judgement.grant.has_value()) {
    const std::lock_guard<std::mutex> hold(lock);
    remember(context->client, *judgement.grant);
    return true;
  }
  if (judgement.claimed && !judgement.stale) {
    guessing.wrong(address);
    tell(Json().set("event", "rtsp-refused").set("address", address));
  }
  refuse(context, judgement.stale);
  return false;
}

struct Authority {
  GstRTSPAuth parent;
};
struct AuthorityClass {
  GstRTSPAuthClass parent;
};
G_DEFINE_TYPE(Authority, authority, GST_TYPE_RTSP_AUTH)

gboolean check(GstRTSPAuth* auth, GstRTSPContext* context, const gchar* what) {
  // The library puts TLS on connections here, where there is a certificate.
  if (std::strcmp(what, GST_RTSP_AUTH_CHECK_CONNECT) == 0)
    return GST_RTSP_AUTH_CLASS(authority_parent_class)->check(auth, context, what);
  if (std::strcmp(what, GST_RTSP_AUTH_CHECK_URL) == 0) return letIn(context) ? TRUE : FALSE;
  // Where packets are sent to is for the server to know, or anybody could have others flooded.
  if (std::strcmp(what, GST_RTSP_AUTH_CHECK_TRANSPORT_CLIENT_SETTINGS) == 0) return FALSE;
  return TRUE;
}

void authority_class_init(AuthorityClass* type) { GST_RTSP_AUTH_CLASS(type)->check = check; }
void authority_init(Authority*) {}

}  // namespace

bool RtspAccess::stillHolds(const RtspGrant& grant) const {
  switch (grant.kind) {
    case RtspGrant::Kind::anonymous:
      return anonymous;
    case RtspGrant::Kind::password: {
      const auto known = accounts.find(grant.user);
      return known != accounts.end() && known->second == grant.proof;
    }
    case RtspGrant::Kind::token: {
      const auto known = tokens.find(grant.proof);
      return known != tokens.end() &&
             (known->second.expires == 0 || known->second.expires > g_get_real_time() / 1000);
    }
    case RtspGrant::Kind::session:
      return sessions.find(grant.proof) != sessions.end();
  }
  return false;
}

bool RtspGuessing::isKeptOut(const std::string& address) {
  const std::lock_guard<std::mutex> hold(lock_);
  const auto found = attempts_.find(address);
  return found != attempts_.end() && found->second.count >= wrongAtMost &&
         g_get_monotonic_time() - found->second.since < wrongWindowUs;
}

void RtspGuessing::wrong(const std::string& address) {
  const std::lock_guard<std::mutex> hold(lock_);
  const std::int64_t now = g_get_monotonic_time();
  Attempts& attempts = attempts_[address];
  if (attempts.count == 0 || now - attempts.since >= wrongWindowUs) attempts = {0, now};
  attempts.count += 1;
  if (attempts_.size() <= addressesAtMost) return;
  for (auto each = attempts_.begin(); each != attempts_.end();)
    each = now - each->second.since >= wrongWindowUs || each->second.count < wrongAtMost ? attempts_.erase(each)
                                                                                       : std::next(each);
}

GstRTSPAuth* newRtspAuthority() { return GST_RTSP_AUTH(g_object_new(authority_get_type(), nullptr)); }

void setRtspAccess(RtspAccess next) {
  const std::lock_guard<std::mutex> hold(lock);
  access = std::move(next);
}

bool mayStay(GstRTSPClient* client) {
  const std::lock_guard<std::mutex> hold(lock);
  const RtspGrant* grant = grantOf(client);
  // Who has shown nothing yet has been given nothing either.
  return grant == nullptr || access.stillHolds(*grant);
}

std::string userOf(GstRTSPClient* client) {
  const std::lock_guard<std::mutex> hold(lock);
  const RtspGrant* grant = grantOf(client);
  return grant == nullptr ? "" : grant->user;
}

}  // namespace obscura
