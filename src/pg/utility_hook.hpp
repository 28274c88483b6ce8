// Lets DROP DATABASE, RENAME, SET TABLESPACE and CREATE ... TEMPLATE of a served database through.
//
// Those commands fail while other sessions are connected, and our workers are. So before one of
// them runs, the launcher is asked to stop the workers of that database; it starts them again when
// the requester's transaction has ended, whichever way.
#pragma once

namespace pgrst::pg {

void px_install_utility_hook();

}  // namespace pgrst::pg
