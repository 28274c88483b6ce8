#include "schema_cache/catalog_queries.hpp"

#include "core/text.hpp"

namespace pgrst {

namespace {

// The role that requests come from, whoever looks: that of $1. A database that is not served has
// none; then it is the session's own.
#define PGRST_LOGIN_ROLE                                                                       \
  "coalesce((select l.oid from pg_catalog.pg_roles l where l.rolname = $1::pg_catalog.text), " \
  "(select l.oid from pg_catalog.pg_roles l where l.rolname = session_user))"

constexpr char kTablesSql[] = R"sql(
select c.oid, n.nspname, c.relname, c.relkind,
       case when c.relkind in ('r', 'p') then 28 else 0 end,
       d.description
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_description d
         on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
 where n.nspname = any ($1::pg_catalog.text[])
   and c.relkind in ('r', 'p', 'v', 'm', 'f')
   and not c.relispartition
   and c.relpersistence <> 't')sql";

// A domain's base type is the first type below it that is no domain. Its name counts only when it
// is built in; a domain over a user's type keeps its own, as in PostgREST. A limit of length counts
// when the domain directly above the base type has it.
constexpr char kColumnsSql[] = R"sql(
select a.attrelid, a.attname,
       case when base.type is not null and b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
              then pg_catalog.format_type(base.type, null)
            when t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
              then pg_catalog.format_type(a.atttypid, null)
            else pg_catalog.format_type(a.atttypid, a.atttypmod)
       end,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       not (a.attnotnull or t.typtype = 'd' and t.typnotnull),
       case when a.attgenerated = '' and a.attidentity = 'd'
              then pg_catalog.format('nextval(%L)', q.oid::pg_catalog.regclass)
       end,
       d.description,
       case when m.modifier = -1 then null
            when m.type in ('pg_catalog.bpchar'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype)
              then m.modifier - 4
            when m.type in ('pg_catalog.bit'::pg_catalog.regtype, 'pg_catalog.varbit'::pg_catalog.regtype)
              then m.modifier
       end,
       case when b.typtype = 'e' then b.oid end,
       a.attgenerated <> '' or a.attidentity = 'a',
       case when v.typtype = 'c' then 'o' when j.oid is not null then 'a' end
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_type t on t.oid = a.atttypid
  left join rows from (pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::pg_catalog.oid[])) base (domain, type)
         on base.domain = t.oid
  join pg_catalog.pg_type b on b.oid = coalesce(base.type, t.oid)
  join pg_catalog.pg_type v
    on v.oid = case when b.typcategory = 'A' and b.typelem <> 0 then b.typelem else b.oid end
  left join pg_catalog.pg_cast j
         on j.castsource = v.oid and j.casttarget = 'pg_catalog.json'::pg_catalog.regtype
        and j.castmethod = 'f' and v.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
 cross join lateral (
         select case when t.typtype = 'd' then t.typbasetype else t.oid end,
                case when t.typtype = 'd' then t.typtypmod else a.atttypmod end
       ) m (type, modifier)
  left join pg_catalog.pg_depend i
         on i.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and i.refobjid = a.attrelid
        and i.refobjsubid = a.attnum and i.deptype = 'i'
        and i.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  left join pg_catalog.pg_class q on q.oid = i.objid and q.relkind = 'S'
  left join pg_catalog.pg_description d
         on d.objoid = a.attrelid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.objsubid = a.attnum
 where n.nspname = any ($1::pg_catalog.text[])
   and c.relkind in ('r', 'p', 'v', 'm', 'f')
   and not c.relispartition
   and c.relpersistence <> 't'
   and a.attnum > 0 and not a.attisdropped
 order by a.attrelid, a.attnum)sql";

constexpr char kEnumsSql[] = R"sql(
select e.enumtypid, e.enumlabel
  from pg_catalog.pg_enum e
 where e.enumtypid = any ($1::pg_catalog.oid[])
 order by e.enumtypid, e.enumsortorder)sql";

// Of other schemas too: views may show keys of tables that are not exposed.
constexpr char kPrimaryKeysSql[] = R"sql(
select k.conrelid, a.attnum, a.attname
  from pg_catalog.pg_constraint k
 cross join lateral pg_catalog.unnest(k.conkey) with ordinality c (number, position)
  join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = c.number
 where k.contype = 'p' and k.conrelid = any ($1::pg_catalog.oid[])
 order by k.conrelid, c.position)sql";

constexpr char kForeignKeysSql[] = R"sql(
with unique_key as (
  select distinct k.conrelid, array(select pg_catalog.unnest(k.conkey) order by 1) as numbers
    from pg_catalog.pg_constraint k
   where k.contype in ('p', 'u') and k.conrelid = any ($1::pg_catalog.oid[])
), foreign_key as (
  select k.*, array(select pg_catalog.unnest(k.conkey) order by 1) as numbers
    from pg_catalog.pg_constraint k
   where k.contype = 'f' and k.conparentid = 0
     and k.conrelid = any ($1::pg_catalog.oid[]) and k.confrelid = any ($1::pg_catalog.oid[])
)
select f.oid, f.conrelid, n.nspname, t.relname, f.confrelid, fn.nspname, ft.relname, f.conname,
       u.conrelid is not null, a.attnum, a.attname, fa.attnum, fa.attname
  from foreign_key f
  join pg_catalog.pg_class t on t.oid = f.conrelid
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace
  join pg_catalog.pg_class ft on ft.oid = f.confrelid
  join pg_catalog.pg_namespace fn on fn.oid = ft.relnamespace
  left join unique_key u on u.conrelid = f.conrelid and u.numbers = f.numbers
 cross join lateral rows from (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey))
       with ordinality c (number, foreign_number, position)
  join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = c.number
  join pg_catalog.pg_attribute fa on fa.attrelid = f.confrelid and fa.attnum = c.foreign_number
 order by f.conrelid, f.conname, f.oid, c.position)sql";

constexpr char kViewsSql[] = R"sql(
select c.oid, n.nspname, c.relname, n.nspname = any ($1::pg_catalog.text[]), a.attnum, a.attname
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_attribute a on a.attrelid = c.oid
 where c.relkind in ('v', 'm') and c.oid = any ($3::pg_catalog.oid[])
   and n.nspname = any ($1::pg_catalog.text[] || $2::pg_catalog.text[])
   and n.nspname not in ('pg_catalog', 'information_schema')
   and a.attnum > 0 and not a.attisdropped
 order by c.oid, a.attnum)sql";

constexpr char kComputedRelationshipsSql[] = R"sql(
select n.nspname, p.proname, tn.nspname, t.relname, fn.nspname, ft.relname,
       not p.proretset or p.prorows = 1
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_class t on t.reltype = p.proargtypes[0]
  join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
  join pg_catalog.pg_class ft on ft.reltype = p.prorettype
  join pg_catalog.pg_namespace fn on fn.oid = ft.relnamespace
 where p.pronargs = 1 and p.prokind = 'f'
   and n.nspname = any ($1::pg_catalog.text[])
   and t.relkind in ('r', 'p', 'v', 'm', 'f') and ft.relkind in ('r', 'p', 'v', 'm', 'f'))sql";

// Implicit casts by function between a domain and json or text, as far as the authenticator may use
// them: whoever looks, what is served decides.
constexpr char kRepresentationsSql[] = R"sql(
select pg_catalog.format_type(c.castsource, null), pg_catalog.format_type(c.casttarget, null),
       n.nspname, p.proname
  from pg_catalog.pg_cast c
  join pg_catalog.pg_proc p on p.oid = c.castfunc
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_type s on s.oid = c.castsource
  join pg_catalog.pg_type t on t.oid = c.casttarget
 where c.castcontext = 'i' and c.castmethod = 'f'
   and pg_catalog.has_function_privilege()sql" PGRST_LOGIN_ROLE R"sql(, p.oid, 'execute')
   and (s.typtype <> 'd' or s.oid = any ($2::pg_catalog.oid[]))
   and (t.typtype <> 'd' or t.oid = any ($2::pg_catalog.oid[]))
   and (s.typtype = 'd' and t.oid in ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.text'::pg_catalog.regtype)
        or t.typtype = 'd' and s.oid in ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.text'::pg_catalog.regtype)))sql";

// Domains named as media types: aggregates over rows that return one make it of a relation, or of
// anything; functions that return one give it as it is.
constexpr char kMediaHandlersSql[] = R"sql(
with media_type as (
  select t.oid, n.nspname, t.typname
    from pg_catalog.pg_type t
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace
   where t.typtype = 'd' and (t.typname = '*/*' or t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
)
select n.nspname, p.proname, an.nspname, a.typname, m.typname
  from media_type m
  join pg_catalog.pg_proc p on p.prorettype = m.oid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_type a on a.oid = p.proargtypes[0]
  join pg_catalog.pg_namespace an on an.oid = a.typnamespace
  left join pg_catalog.pg_class c on c.oid = a.typrelid
 where p.prokind = 'a' and p.pronargs = 1 and n.nspname = any ($1::pg_catalog.text[])
   and (a.oid = 'pg_catalog.anyelement'::pg_catalog.regtype or c.relkind in ('r', 'p', 'v', 'm', 'f'))
union all
select m.nspname, m.typname, n.nspname, p.proname, m.typname
  from media_type m
  join pg_catalog.pg_proc p on p.prorettype = m.oid
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 where p.prokind = 'f' and not p.proretset and n.nspname = any ($1::pg_catalog.text[]))sql";

constexpr char kRoutinesSql[] = R"sql(
select p.oid, n.nspname, p.proname, d.description, tn.nspname, coalesce(c.relname, t.typname),
       p.proretset,
       t.typtype = 'c' or coalesce(p.proargmodes::pg_catalog.text[] && '{t,b,o}', false),
       p.provolatile
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  left join rows from (pg_catalog.unnest($2::pg_catalog.oid[]), pg_catalog.unnest($3::pg_catalog.oid[])) b (domain, type)
         on b.domain = p.prorettype
  join pg_catalog.pg_type t on t.oid = coalesce(b.type, p.prorettype)
  join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
  left join pg_catalog.pg_class c on c.oid = t.typrelid
  left join pg_catalog.pg_description d
         on d.objoid = p.oid and d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        and d.objsubid = 0
 where p.prokind = 'f' and n.nspname = any ($1::pg_catalog.text[])
   and t.oid <> 'pg_catalog.trigger'::pg_catalog.regtype)sql";

// Of a function that has output parameters proallargtypes holds all, otherwise proargtypes does.
constexpr char kRoutineParamsSql[] = R"sql(
select p.oid, coalesce(a.name, ''), pg_catalog.format_type(a.type, null),
       case a.type
         when 'pg_catalog.bit'::pg_catalog.regtype then 'bit varying'
         when 'pg_catalog.bit[]'::pg_catalog.regtype then 'bit varying[]'
         when 'pg_catalog.bpchar'::pg_catalog.regtype then 'character varying'
         when 'pg_catalog.bpchar[]'::pg_catalog.regtype then 'character varying[]'
         else pg_catalog.format_type(a.type, null)
       end,
       pg_catalog.row_number() over (partition by p.oid order by a.position)
         <= p.pronargs - p.pronargdefaults,
       coalesce(a.mode = 'v', false)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 cross join lateral rows from (
         pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[])),
         pg_catalog.unnest(p.proargnames), pg_catalog.unnest(p.proargmodes))
       with ordinality a (type, name, mode, position)
 where p.prokind = 'f' and n.nspname = any ($1::pg_catalog.text[])
   and a.type is not null and coalesce(a.mode in ('i', 'b', 'v'), true)
 order by p.oid, a.position)sql";

constexpr char kRoutineColumnsSql[] = R"sql(
select p.oid, coalesce(a.name, ''), pg_catalog.format_type(a.type, null)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 cross join lateral rows from (
         pg_catalog.unnest(p.proallargtypes), pg_catalog.unnest(p.proargnames),
         pg_catalog.unnest(p.proargmodes))
       with ordinality a (type, name, mode, position)
 where p.prokind = 'f' and n.nspname = any ($1::pg_catalog.text[])
   and p.proargmodes is not null and a.mode in ('o', 'b', 't')
 order by p.oid, a.position)sql";

constexpr char kRoutineSettingsSql[] = R"sql(
select p.oid, pg_catalog.split_part(o.setting, '=', 1),
       pg_catalog.substr(o.setting, pg_catalog.strpos(o.setting, '=') + 1)
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
 cross join lateral pg_catalog.unnest(p.proconfig) o (setting)
 where p.prokind = 'f' and n.nspname = any ($1::pg_catalog.text[]))sql";

// Settings of the roles that the login role may become, as far as it may set them itself.
// Parameter privileges exist from PostgreSQL 15 on.
#define PGRST_ROLE_SETTINGS(may_set)                                                             \
  "select r.rolname, s.name, pg_catalog.substr(o.setting, pg_catalog.length(s.name) + 2)"        \
  "  from pg_catalog.pg_roles r"                                                                 \
  " cross join lateral pg_catalog.unnest(r.rolconfig) o (setting)"                               \
  "  join pg_catalog.pg_settings s"                                                              \
  "    on pg_catalog.lower(s.name) = pg_catalog.lower(pg_catalog.split_part(o.setting, '=', 1))" \
  " where r.oid <> " PGRST_LOGIN_ROLE "   and pg_catalog.pg_has_role(" PGRST_LOGIN_ROLE          \
  ", r.oid, 'member')"                                                                           \
  "   and (s.context = 'user'" may_set                                                           \
  ")"                                                                                            \
  " order by 1, 2"

constexpr char kRoleSettingsSql14[] = PGRST_ROLE_SETTINGS("");
constexpr char kRoleSettingsSql15[] = PGRST_ROLE_SETTINGS(
    " or pg_catalog.has_parameter_privilege(" PGRST_LOGIN_ROLE ", s.name, 'set')");
#undef PGRST_ROLE_SETTINGS

constexpr char kSettingsSql[] = R"sql(
select pg_catalog.split_part(o.setting, '=', 1),
       pg_catalog.substr(o.setting, pg_catalog.strpos(o.setting, '=') + 1),
       case when s.setrole = 0 then 'database' when s.setdatabase = 0 then 'role'
            else 'role in database' end
  from pg_catalog.pg_db_role_setting s
 cross join lateral pg_catalog.unnest(s.setconfig) o (setting)
 where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database d
                              where d.datname = pg_catalog.current_database()))
   and s.setrole in (0, )sql" PGRST_LOGIN_ROLE R"sql()
   and o.setting ~ '^(pgrst|app\.settings)\.'
 order by s.setrole <> 0, s.setdatabase <> 0)sql";

}  // namespace

std::vector<CatalogQuery> catalog_queries(const CatalogScope& scope, int server_version) {
  const std::string names = array_literal(scope.schemas);
  const std::string relations(kRelationsParam), types(kTypesParam);
  const std::string domains(kDomainsParam), base_types(kBaseTypesParam);
  const char* role_settings = server_version >= 150000 ? kRoleSettingsSql15 : kRoleSettingsSql14;
  return {
      {kTablesSql, {names}},
      {kEnumsSql, {types}},
      {kColumnsSql, {names, domains, base_types}},
      {kPrimaryKeysSql, {relations}},
      {kForeignKeysSql, {relations}},
      {kViewsSql, {names, array_literal(scope.extra_search_path), relations}},
      {kComputedRelationshipsSql, {names}},
      {kRepresentationsSql, {scope.authenticator, types}},
      {kRoutinesSql, {names, domains, base_types}},
      {kRoutineParamsSql, {names}},
      {kRoutineColumnsSql, {names}},
      {kRoutineSettingsSql, {names}},
      {kMediaHandlersSql, {names}},
      {role_settings, {scope.authenticator}},
      {kSettingsSql, {scope.authenticator}},
  };
}

}  // namespace pgrst
