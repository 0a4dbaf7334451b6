-- What the scripts of a custom database read as `configuration`: one sealed JSON object, which nobody gets back.
alter table connections add column script_configuration bytea;
