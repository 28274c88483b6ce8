// Which columns of a statement are embeds: rows, or arrays of rows, of the relations that a request
// embeds.
//
// Input -> output: a plan of one of our statements, prepared through SPI -> a flag for each column.
// An embed is of type record, as what a user's function returns may be; only the statement tells
// the two apart. It is, as query/select_writer.cpp writes them, the whole row of a LATERAL subquery
// or an ARRAY(SELECT ...), or a column of a LATERAL subquery (a spread) that is one of these.
#pragma once

struct _SPI_plan;

namespace pgrst::pg {

// Sets embeds[i] of the embeds among the first `count` columns and leaves the others. To be called
// once the plan's statement runs: then it is analyzed for the schema as it is. Cannot fail.
void find_embeds(_SPI_plan* plan, bool* embeds, int count);

}  // namespace pgrst::pg
