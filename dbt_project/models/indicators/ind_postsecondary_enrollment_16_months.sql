{% set months = indicator_parameter('postsecondary_months', 'integer') %}
{% set limit = add_months('graduate.completion_date', months) %}
{% set class_limit = add_months(day_in_year('graduate.class_year', 'community.graduation_cutoff'), months) %}

{{ postsecondary_enrollment_indicator('postsecondary_enrollment_16_months', limit, class_limit) }}
