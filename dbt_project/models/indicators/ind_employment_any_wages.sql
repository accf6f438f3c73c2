{{ employment_indicator('employment_any_wages', 'wages > 0') }}
