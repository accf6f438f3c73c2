{#- Wilson score interval of a proportion x / n (Wilson 1927; Newcombe 1998, method 3). Null where n is zero.
    Literals have an exponent: without one they are decimals, whose arithmetic is exact, slow, and overflows. -#}
{%- macro wilson_lower(x, n, z=none) -%}
{%- set q = z if z is not none else z_95() -%}
greatest(0e0, ((2e0 * ({{ x }}) + {{ q }} * {{ q }}) - {{ q }} * sqrt(greatest(0e0, {{ q }} * {{ q }} + 4e0 * ({{ x }}) * (1e0 - ({{ x }}) / nullif(cast({{ n }} as double), 0)))))
    / (2e0 * (nullif(cast({{ n }} as double), 0) + {{ q }} * {{ q }})))
{%- endmacro -%}

{%- macro wilson_upper(x, n, z=none) -%}
{%- set q = z if z is not none else z_95() -%}
least(1e0, ((2e0 * ({{ x }}) + {{ q }} * {{ q }}) + {{ q }} * sqrt(greatest(0e0, {{ q }} * {{ q }} + 4e0 * ({{ x }}) * (1e0 - ({{ x }}) / nullif(cast({{ n }} as double), 0)))))
    / (2e0 * (nullif(cast({{ n }} as double), 0) + {{ q }} * {{ q }})))
{%- endmacro -%}

{#- Newcombe's hybrid score interval of p1 - p2 (Newcombe 1998, method 10), from rates and their Wilson limits. -#}
{%- macro newcombe_lower(p1, l1, p2, u2) -%}
(({{ p1 }}) - ({{ p2 }}) - sqrt((({{ p1 }}) - ({{ l1 }})) * (({{ p1 }}) - ({{ l1 }})) + (({{ u2 }}) - ({{ p2 }})) * (({{ u2 }}) - ({{ p2 }}))))
{%- endmacro -%}

{%- macro newcombe_upper(p1, u1, p2, l2) -%}
(({{ p1 }}) - ({{ p2 }}) + sqrt((({{ u1 }}) - ({{ p1 }})) * (({{ u1 }}) - ({{ p1 }})) + (({{ p2 }}) - ({{ l2 }})) * (({{ p2 }}) - ({{ l2 }}))))
{%- endmacro -%}

{#- z of the difference of two independent proportions with pooled variance; zero where both are alike. -#}
{%- macro two_proportion_z(x1, n1, x2, n2) -%}
coalesce(
    (({{ x1 }}) / nullif(cast({{ n1 }} as double), 0) - ({{ x2 }}) / nullif(cast({{ n2 }} as double), 0))
    / nullif(sqrt(
        (({{ x1 }}) + ({{ x2 }})) / nullif(cast(({{ n1 }}) + ({{ n2 }}) as double), 0)
        * (1 - (({{ x1 }}) + ({{ x2 }})) / nullif(cast(({{ n1 }}) + ({{ n2 }}) as double), 0))
        * (1 / nullif(cast({{ n1 }} as double), 0) + 1 / nullif(cast({{ n2 }} as double), 0))
    ), 0),
    0.0
)
{%- endmacro -%}

{#- MOVER limits (Zou and Donner 2008) of the change of a difference: (p11 - p12) - (p01 - p02), given the limits of
    the present and the past difference. -#}
{%- macro mover_lower(d1, l1, d0, u0) -%}
(({{ d1 }}) - ({{ d0 }}) - sqrt((({{ d1 }}) - ({{ l1 }})) * (({{ d1 }}) - ({{ l1 }})) + (({{ u0 }}) - ({{ d0 }})) * (({{ u0 }}) - ({{ d0 }}))))
{%- endmacro -%}

{%- macro mover_upper(d1, u1, d0, l0) -%}
(({{ d1 }}) - ({{ d0 }}) + sqrt((({{ u1 }}) - ({{ d1 }})) * (({{ u1 }}) - ({{ d1 }})) + (({{ d0 }}) - ({{ l0 }})) * (({{ d0 }}) - ({{ l0 }}))))
{%- endmacro -%}

{#- Standard error of a published estimate from its margin of error; the Census Bureau's margins are at 90 %, and its
    handbook divides by 1.645. -#}
{%- macro se_from_moe(moe, confidence='0.90') -%}
(cast({{ moe }} as double) / case
    when {{ confidence }} = 0.95 then 1.96
    when {{ confidence }} = 0.99 then 2.576
    else 1.645
end)
{%- endmacro -%}

{#- Margins through sums and proportions as the Census Bureau approximates them (Understanding and Using American Community
    Survey Data, 2020, chapter 8). Of a sum, an aggregate: several estimates of zero count once, with their largest margin. -#}
{%- macro moe_of_sum(estimate, moe) -%}
sqrt(
    coalesce(sum(case when {{ estimate }} <> 0 then cast({{ moe }} as double) * ({{ moe }}) end), 0e0)
    + coalesce(max(case when {{ estimate }} = 0 then cast({{ moe }} as double) * ({{ moe }}) end), 0e0)
)
{%- endmacro -%}

{#- Of x / y where x is part of y; plus instead of minus where the radicand would be negative. -#}
{%- macro moe_of_proportion(x, moe_x, y, moe_y) -%}
(sqrt(case
    when ({{ moe_x }}) * ({{ moe_x }}) >= ({{ x }}) / ({{ y }}) * ({{ x }}) / ({{ y }}) * ({{ moe_y }}) * ({{ moe_y }})
        then ({{ moe_x }}) * ({{ moe_x }}) - ({{ x }}) / ({{ y }}) * ({{ x }}) / ({{ y }}) * ({{ moe_y }}) * ({{ moe_y }})
    else ({{ moe_x }}) * ({{ moe_x }}) + ({{ x }}) / ({{ y }}) * ({{ x }}) / ({{ y }}) * ({{ moe_y }}) * ({{ moe_y }})
end) / ({{ y }}))
{%- endmacro -%}
