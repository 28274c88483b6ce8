#include "pg/invalidation.hpp"

#include <cstring>

#include "pg/pg_prelude.hpp"
// libpq.h would pull GSSAPI's headers in where the server was built with it; nothing here needs
// them.
#undef ENABLE_GSS
#include "pg/compat.hpp"

extern "C" {
#include "access/xact.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "commands/async.h"
#include "libpq/libpq.h"
#include "storage/sinval.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/inval.h"
#include "utils/syscache.h"
}

namespace pgrst::pg {

namespace {

Oid watched_database = InvalidOid;
Oid watched_reload_marker = InvalidOid;
uint64_t generation = 0;
uint64_t own_generation = 0;  // without the hints about shared catalogs
uint64_t reloads = 0;
uint64 seen_messages = 0;  // as SharedInvalidMessageCounter counts

// Caches whose changes never concern the schema cache.
bool is_noise_cache(int id) { return id == STATRELATTINH; }

enum class Hint { kNone, kShared, kDatabase };

Hint hint_of(const SharedInvalidationMessage* message) {
  Oid database = InvalidOid;
  if (message->id >= 0) {
    if (is_noise_cache(message->cc.id)) return Hint::kNone;
    database = message->cc.dbId;
  } else if (message->id == SHAREDINVALCATALOG_ID) {
    database = message->cat.dbId;
  } else if (message->id == SHAREDINVALRELCACHE_ID) {
    database = message->rc.dbId;
  } else if (message->id == SHAREDINVALSNAPSHOT_ID) {
    const Oid catalog = message->sn.relId;
    if (catalog != DescriptionRelationId && catalog != DbRoleSettingRelationId &&
        catalog != DependRelationId) {
      return Hint::kNone;
    }
    database = message->sn.dbId;
  } else {
    return Hint::kNone;
  }
  if (database == InvalidOid) return Hint::kShared;
  return database == watched_database ? Hint::kDatabase : Hint::kNone;
}

void count_hint(Hint hint) {
  if (hint != Hint::kNone) generation++;
  if (hint == Hint::kDatabase) own_generation++;
}

void px_on_message(SharedInvalidationMessage* message) {
  count_hint(hint_of(message));
  if (message->id == SHAREDINVALRELCACHE_ID && message->rc.dbId == watched_database &&
      message->rc.relId != InvalidOid && message->rc.relId == watched_reload_marker) {
    reloads++;
  }
  LocalExecuteInvalidationMessage(message);
}

void px_on_reset() {
  count_hint(Hint::kDatabase);
  InvalidateSystemCaches();
}

// -- notifications -------------------------------------------------------------------------------

bool reload_asked = false;
char listened_channel[NAMEDATALEN] = "";  // empty: none

// Takes notifications out of what PostgreSQL would send to a client; this process has none.
// Swallows everything else. 'A' holds: int32 pid, channel\0, payload\0.
int on_message_to_client(char type, const char* bytes, size_t length) {
  if (type == 'A' && length > 4) {
    const char* channel = bytes + 4;
    const char* payload = channel + std::strlen(channel) + 1;
    if (std::strcmp(channel, listened_channel) == 0 &&
        (payload[0] == '\0' || std::strcmp(payload, "reload schema") == 0 ||
         std::strcmp(payload, "reload config") == 0)) {
      reload_asked = true;
    }
  }
  return 0;
}
void on_message_to_client_noblock(char, const char*, size_t) {}
void comm_reset() {}
int comm_flush() { return 0; }
bool comm_pending() { return false; }

const PQcommMethods kNoClient = {comm_reset,   comm_flush,           comm_flush,
                                 comm_pending, on_message_to_client, on_message_to_client_noblock};

}  // namespace

void px_watch_catalogs(Oid database) {
  watched_database = database;
  px_poll_invalidations();
  seen_messages = SharedInvalidMessageCounter;
  count_hint(Hint::kDatabase);
}

void px_poll_invalidations() {
  if (SharedInvalidMessageCounter != seen_messages) count_hint(Hint::kDatabase);
  ReceiveSharedInvalidMessages(&px_on_message, &px_on_reset);
  seen_messages = SharedInvalidMessageCounter;
}

uint64_t catalog_generation() { return generation; }
uint64_t database_generation() { return own_generation; }
uint64_t reload_generation() { return reloads; }
void watch_reload_marker(Oid marker) { watched_reload_marker = marker; }

void px_listen(const char* channel) {
  if (std::strcmp(channel, listened_channel) == 0) return;
  px_poll_invalidations();
  StartTransactionCommand();
  Async_UnlistenAll();
  if (channel[0] != '\0') Async_Listen(channel);
  CommitTransactionCommand();
  strlcpy(listened_channel, channel, sizeof listened_channel);
}

bool px_take_notifications() {
  if (!notifyInterruptPending) return false;
  px_poll_invalidations();
  const PQcommMethods* methods = PqCommMethods;
  PG_TRY();
  {
    PqCommMethods = &kNoClient;
    whereToSendOutput = DestRemote;
    ProcessNotifyInterrupt(false);
  }
  PG_FINALLY();
  {
    PqCommMethods = methods;
    whereToSendOutput = DestNone;
  }
  PG_END_TRY();
  const bool asked = reload_asked;
  reload_asked = false;
  return asked;
}

}  // namespace pgrst::pg
