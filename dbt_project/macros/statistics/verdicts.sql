{#- Verdict of a change by its interval, in the direction that is better.
    improved or declined: the interval leaves zero out and the corrected p-value is below 5 %;
    maintained: the 90 % interval lies within the practical margin (two one-sided tests, Schuirmann 1987), or the
    change, whatever its certainty, is no worse than the margin and not beyond noise is left to the reader;
    no_comparable_period: there are earlier years, but none on the same tests and rules (`comparable_from` tells of them);
    not_enough_evidence: everything else. -#}
{%- macro change_verdict(change, low, high, q_value, low_90, high_90, margin, direction, comparable_from='null') -%}
case
    when ({{ change }}) is null and ({{ comparable_from }}) is not null then 'no_comparable_period'
    when ({{ change }}) is null then 'not_measured'
    when ({{ low }}) > 0 and ({{ q_value }}) < 0.05 then case when ({{ direction }}) = 'higher' then 'improved' else 'declined' end
    when ({{ high }}) < 0 and ({{ q_value }}) < 0.05 then case when ({{ direction }}) = 'higher' then 'declined' else 'improved' end
    when ({{ low_90 }}) > -({{ margin }}) and ({{ high_90 }}) < ({{ margin }}) then 'maintained'
    else 'not_enough_evidence'
end
{%- endmacro -%}

{#- The plain comparison of two points, with the practical margin as tolerance. -#}
{%- macro plain_verdict(change, margin, direction, comparable_from='null') -%}
case
    when ({{ change }}) is null and ({{ comparable_from }}) is not null then 'no_comparable_period'
    when ({{ change }}) is null then 'not_measured'
    when abs({{ change }}) <= ({{ margin }}) then 'maintained'
    when (({{ change }}) > 0) = (({{ direction }}) = 'higher') then 'improved'
    else 'declined'
end
{%- endmacro -%}

{#- Benjamini and Hochberg (1995): the corrected p-value of a test among its family, by window functions.
    `rank_column` is the rank of the p-value in its family, smallest first, ties broken. -#}
{%- macro benjamini_hochberg(p, rank_column, family, partition_by) -%}
least(1.0, min(({{ p }}) * ({{ family }}) / ({{ rank_column }})) over (
    partition by {{ partition_by }} order by ({{ rank_column }}) desc rows between unbounded preceding and current row
))
{%- endmacro -%}
