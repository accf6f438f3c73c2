{% set line = "wages >= coalesce(quarter_wage, " ~ indicator_parameter('living_wage_quarter') ~ ")" %}

{{ employment_indicator('employment', line) }}
