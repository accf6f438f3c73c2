{#- Upper tail of the standard normal distribution at |z|, to double precision.
    Hart's rational approximation as given by G. West, "Better approximations to cumulative normal functions",
    Wilmott Magazine, 2005; neither DuckDB nor Spark has an error function. -#}
{%- macro normal_upper_tail(z) -%}
(case
    when abs({{ z }}) > 37 then 0.0
    when abs({{ z }}) < 7.07106781186547 then
        exp(-0.5 * ({{ z }}) * ({{ z }}))
        * ((((((3.52624965998911e-02 * abs({{ z }}) + 0.700383064443688) * abs({{ z }}) + 6.37396220353165) * abs({{ z }})
            + 33.912866078383) * abs({{ z }}) + 112.079291497871) * abs({{ z }}) + 221.213596169931) * abs({{ z }})
            + 220.206867912376)
        / (((((((8.83883476483184e-02 * abs({{ z }}) + 1.75566716318264) * abs({{ z }}) + 16.064177579207) * abs({{ z }})
            + 86.7807322029461) * abs({{ z }}) + 296.564248779674) * abs({{ z }}) + 637.333633378831) * abs({{ z }})
            + 793.826512519948) * abs({{ z }}) + 440.413735824752)
    else
        exp(-0.5 * ({{ z }}) * ({{ z }}))
        / (abs({{ z }}) + 1 / (abs({{ z }}) + 2 / (abs({{ z }}) + 3 / (abs({{ z }}) + 4 / (abs({{ z }}) + 0.65)))))
        / 2.506628274631
end)
{%- endmacro -%}

{#- Two-sided p-value of a z statistic. -#}
{%- macro p_two_sided(z) -%}
(2 * {{ normal_upper_tail(z) }})
{%- endmacro -%}

{#- 97.5 % quantile of the standard normal distribution: the half-width of a 95 % interval. -#}
{%- macro z_95() -%}1.959963984540054e0{%- endmacro -%}

{#- 95 % quantile: the half-width of a 90 % interval, as the Census Bureau's margins of error use it. -#}
{%- macro z_90() -%}1.6448536269514722e0{%- endmacro -%}
